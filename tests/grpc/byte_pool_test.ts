/** Copies of short messages. */
import assert from "node:assert/strict";
import { copyBytes } from "../../grpc/byte_pool.ts";

Deno.test("copies are independent of their source and of each other, at every length", () => {
  const source = new Uint8Array(3_000);
  const copies = Array.from({ length: 2_000 }, (_, turn) => {
    const length = turn * 7 % 1_500;
    source.fill(turn % 251);
    return copyBytes(source, 1_000, 1_000 + length);
  });
  copies.forEach((copy, turn) => {
    assert.equal(copy.length, turn * 7 % 1_500);
    assert.ok(copy.every((byte) => byte === turn % 251));
    copy.fill(255);
  });
  const buffers = new Set(copies.filter(({ length }) => length <= 1_024).map(({ buffer }) => buffer));
  assert.ok(buffers.size < 150, `${buffers.size} allocations`);
});
