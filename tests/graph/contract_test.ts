/** Schema compatibility: graph/baseline.graphql contains what clients rely on. */
import assert from "node:assert/strict";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { findBreakingChanges, parse } from "graphql";

const ACCEPT = "accept it with `deno task accept-schema`";

Deno.test("the schema breaks nothing that the baseline allows", async () => {
  const { baseline, schema } = await readSchemas();
  const broken = findBreakingChanges(build(baseline), build(schema)).map(({ description }) => description);
  assert.deepEqual(broken, [], `clients may rely on the removed parts; if no client does, ${ACCEPT}`);
});

Deno.test("the baseline contains the whole schema", async () => {
  const { baseline, schema } = await readSchemas();
  assert.equal(baseline, schema, `the schema has changed: ${ACCEPT}`);
});

Deno.test("a removed field and a field that may be null break the contract, a new field does not", async () => {
  const { schema } = await readSchemas();
  const changes = (from: string, to: string) => {
    assert.ok(schema.includes(from));
    return findBreakingChanges(build(schema), build(schema.replace(from, to))).length;
  };
  assert.equal(changes("  postalCode: String\n", ""), 1);
  assert.equal(changes("email: String!", "email: String"), 1);
  assert.equal(changes("  firstName: String\n", "  firstName: String\n  nickname: String\n"), 0);
});

Deno.test("there is one copy of graphql, since two copies reject each other's types", async () => {
  const lock = JSON.parse(await Deno.readTextFile(new URL("../../deno.lock", import.meta.url)));
  const copies = Object.keys(lock.npm).filter((name) => /^graphql@\d/.test(name));
  assert.deepEqual(copies, ["graphql@16.15.0"]);
});

async function readSchemas() {
  const read = (name: string) => Deno.readTextFile(new URL(`../../graph/${name}.graphql`, import.meta.url));
  return { baseline: await read("baseline"), schema: await read("schema") };
}

function build(sdl: string) {
  return buildSubgraphSchema([{ typeDefs: parse(sdl) }]);
}
