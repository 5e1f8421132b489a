/** The trace that a request belongs to. */
import assert from "node:assert/strict";
import { newTraceId, readTraceId } from "../../actors/trace.ts";

const ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

Deno.test("a valid traceparent gives its trace id", () => {
  assert.equal(readTraceId(`00-${ID}-${SPAN}-01`), ID);
  assert.equal(readTraceId(`cc-${ID}-${SPAN}-01-what-comes-later`), ID);
});

Deno.test("a traceparent that breaks the standard, or none, gives a new trace id", () => {
  const zeros = (digits: number) => "0".repeat(digits);
  const broken = [
    null,
    undefined,
    "",
    ID,
    `00-${ID.toUpperCase()}-${SPAN}-01`,
    `00-${zeros(32)}-${SPAN}-01`,
    `00-${ID}-${zeros(16)}-01`,
    `ff-${ID}-${SPAN}-01`,
    `00-${ID}-${SPAN}-01-more`,
    `00-${ID}-${SPAN}-0`,
    `00-${ID}-${SPAN}-01, 00-${ID}-${SPAN}-01`,
  ];
  const given = broken.map(readTraceId);
  for (const id of given) assert.match(id, /^(?!0{32})[0-9a-f]{32}$/);
  assert.equal(new Set([...given, ID, newTraceId()]).size, broken.length + 2);
});
