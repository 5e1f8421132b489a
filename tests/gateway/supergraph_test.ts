/** The supergraph that the router is given is what the subgraphs' schemas give. */
import assert from "node:assert/strict";
import { composeSupergraph } from "../../gateway/compose.ts";
import { SUPERGRAPH } from "../../gateway/supergraph.ts";

Deno.test("the supergraph is composed of the schemas as they are", async () => {
  const [kept, composed] = await Promise.all([Deno.readTextFile(SUPERGRAPH), composeSupergraph()]);
  assert.ok(kept === composed, "a schema has changed: renew the supergraph with `deno task supergraph`");
});
