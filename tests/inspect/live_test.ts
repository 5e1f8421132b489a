/** Pages that are followed: no person takes all the room there is. */
import assert from "node:assert/strict";
import { startInspector } from "./server.ts";

Deno.test("one person follows twenty pages, and leaves room for others", async () => {
  await using inspector = await startInspector();
  const { officer, staff } = inspector;
  const follow = (as = officer) => inspector.get("/inspect/live", as);
  const streams = await Promise.all(Array.from({ length: 20 }, () => follow()));
  assert.deepEqual(new Set(streams.map(({ status }) => status)), new Set([200]));
  const more = await follow();
  assert.equal(more.status, 429);
  assert.match(await more.text(), /Cannot follow more than 20 pages at once: reload by hand/);
  streams.push(await follow(staff(["STORE_MANAGER"])));
  assert.equal(streams.at(-1)?.status, 200);
  await Promise.all(streams.map(({ body }) => body?.cancel()));
});
