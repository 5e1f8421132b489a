/** The committed supergraph matches the subgraphs' schemas. */
import assert from "node:assert/strict";
import { composeSupergraph } from "../../gateway/compose.ts";
import { SUPERGRAPH } from "../../gateway/supergraph.ts";

Deno.test("the committed supergraph is up to date", async () => {
  const [committed, composed] = await Promise.all([Deno.readTextFile(SUPERGRAPH), composeSupergraph()]);
  assert.ok(
    committed === composed,
    "a schema has changed: update the supergraph with `deno task supergraph`",
  );
});
