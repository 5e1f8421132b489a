/** Trace context of a request. */
import assert from "node:assert/strict";
import { newTraceparent, readTraceparent, traceIdOf } from "../../lib/trace_context.ts";

const ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

Deno.test("a valid traceparent is propagated in the form of this version of the standard", () => {
  const passedOn = `00-${ID}-${SPAN}-01`;
  assert.equal(readTraceparent(passedOn), passedOn);
  assert.equal(readTraceparent(`cc-${ID}-${SPAN}-01-what-comes-later`), passedOn);
  assert.equal(traceIdOf(passedOn), ID);
});

Deno.test("an invalid or missing traceparent starts a new trace each time", () => {
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
  for (const header of broken) assert.equal(readTraceparent(header), undefined, String(header));
  const made = Array.from({ length: 9 }, () => newTraceparent());
  for (const traceparent of made) assert.equal(readTraceparent(traceparent), traceparent);
  assert.equal(new Set(made.map(traceIdOf)).size, made.length);
});
