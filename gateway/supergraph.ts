/** File of the composed supergraph, which the router loads. It is committed so that reviews show its changes. */
export const SUPERGRAPH = new URL("../deploy/router/supergraph.graphql", import.meta.url);
