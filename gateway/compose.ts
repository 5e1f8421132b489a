/** Composition of the supergraph that the router and the development gateway serve. */
import { composeServices } from "@theguild/federation-composition";
import { parse } from "graphql";

/** The URLs are defaults, which the router's configuration overrides. */
const SUBGRAPHS = [
  { name: "customer", file: "../graph/schema.graphql", url: "http://customer-service:4000/graphql" },
  { name: "order", file: "../deploy/router/order.graphql", url: "http://order-service:4000/graphql" },
];

const ORIGIN =
  "# Composed by `deno task supergraph` from graph/schema.graphql and deploy/router/order.graphql.\n";

/**
 * Composes the supergraph from the current schemas.
 *
 * @throws {Error} the schemas conflict; the message gives the reasons
 */
export async function composeSupergraph(): Promise<string> {
  const services = await Promise.all(SUBGRAPHS.map(async ({ name, file, url }) => ({
    name,
    url,
    typeDefs: parse(await Deno.readTextFile(new URL(file, import.meta.url))),
  })));
  const { supergraphSdl, errors } = composeServices(services);
  if (!supergraphSdl) {
    throw new Error(`Cannot compose the supergraph: ${errors?.map(({ message }) => message).join("; ")}`);
  }
  return `${ORIGIN}${supergraphSdl.trim()}\n`;
}
