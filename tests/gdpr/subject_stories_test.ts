/** Stories of persons with several requests, holds, retention and notices; subject_stories_long_test.ts has more of them. */
import assert from "node:assert/strict";
import { isCancellable } from "../../domain/cancellation.ts";
import type { Right } from "../../actors/gdpr/types.ts";
import { MACHINES } from "./expected_transitions.ts";
import { assertStories } from "./subject_stories.ts";

Deno.test("no hold is lost, no request waits for an erased person, and every person who is not informed is found", () =>
  assertStories(4));

Deno.test("a request says that it can be canceled exactly in the states that accept it", () => {
  for (const { right, table } of MACHINES) {
    for (const [name, row] of Object.entries(table)) {
      const [status] = name.split(/[. ]/) as ["PENDING" | "IN_PROGRESS" | "COMPLETED"];
      assert.equal(isCancellable({ type: right as Right, status }), row.cancel !== undefined, name);
    }
  }
  assert.equal(isCancellable({ type: "RECTIFICATION", status: "PENDING" }), false);
});
