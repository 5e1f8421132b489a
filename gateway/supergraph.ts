/** The composed supergraph: what the router is given, and what reviews see change. */
export const SUPERGRAPH = new URL("../deploy/router/supergraph.graphql", import.meta.url);
