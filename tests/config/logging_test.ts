import assert from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import { formatReadably } from "../../config/logging.ts";

Deno.test("a line for a terminal shows plain strings without quotes, and everything else escaped", () => {
  const format = (message: readonly unknown[]) => {
    const record = { category: ["x"], level: "info", message, rawMessage: "", timestamp: 0, properties: {} };
    const [text, , , , , , ...values] = formatReadably(record as LogRecord);
    return [String(text).split("%c").at(-1), ...values];
  };
  assert.deepEqual(format(["plain"]), ["plain"]);
  assert.deepEqual(format(["", "audit.event", " ", "CUSTOMER_UPDATED", ""]), [
    "audit.event CUSTOMER_UPDATED",
  ]);
  assert.deepEqual(format(["count ", 3, " of ", "a b", "!"]), ["count %o of a b!", 3]);
  assert.deepEqual(format(["", "100%c", ", ", "two\nlines", ""]), ["%o, %o", "100%c", "two\nlines"]);
});
