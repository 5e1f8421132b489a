// deno-lint-ignore-file no-console -- what a task prints is its result
/** `deno task supergraph`: composes deploy/router/supergraph.graphql anew. */
import { composeSupergraph } from "../gateway/compose.ts";
import { SUPERGRAPH } from "../gateway/supergraph.ts";

await Deno.writeTextFile(SUPERGRAPH, await composeSupergraph());
console.log("Composed deploy/router/supergraph.graphql");
