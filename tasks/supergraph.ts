// deno-lint-ignore-file no-console -- a task prints its result
/** `deno task supergraph`: composes deploy/router/supergraph.graphql. */
import { composeSupergraph } from "../gateway/compose.ts";
import { SUPERGRAPH } from "../gateway/supergraph.ts";

await Deno.writeTextFile(SUPERGRAPH, await composeSupergraph());
console.log("Composed deploy/router/supergraph.graphql");
