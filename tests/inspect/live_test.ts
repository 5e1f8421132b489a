/** Pages that are followed: no person takes all the room there is. */
import { Hono } from "@hono/hono";
import assert from "node:assert/strict";
import { createLive } from "../../inspect/live.ts";
import type { InspectEnv } from "../../inspect/session.ts";
import { serve } from "../graph/server.ts";
import { startInspector } from "./server.ts";

Deno.test("one person follows twenty pages, and leaves room for others", async () => {
  await using inspector = await startInspector();
  const { officer, staff } = inspector;
  const follow = (as = officer) => inspector.get("/inspect/live", as);
  const streams = await Promise.all(Array.from({ length: 20 }, () => follow()));
  assert.deepEqual(new Set(streams.map(({ status }) => status)), new Set([200]));
  const more = await follow();
  assert.equal(more.status, 429);
  assert.match(
    await more.text(),
    /Cannot open more than 20 live pages at once: reload the page to update it/,
  );
  streams.push(await follow(staff(["STORE_MANAGER"])));
  assert.equal(streams.at(-1)?.status, 200);
  await Promise.all(streams.map(({ body }) => body?.cancel()));
});

Deno.test("a page is followed for so long, and gives its place back then", async () => {
  const live = createLive({ maxDurationMs: 100 });
  const app = new Hono<InspectEnv>()
    .use(async (c, next) => {
      c.set("by", { id: "officer", type: "STAFF", storeId: "store", roles: ["PRIVACY_OFFICER"] });
      await next();
    })
    .get("/", (c) => live.follow(c, () => Promise.resolve("as it is")));
  await using server = serve(new Hono().route("/", app));
  for (let at = 0; at < 2; at++) {
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${server.addr.port}/`)),
    );
    for (const stream of streams) assert.match(await stream.text(), /^event: now\ndata: \S+\n\n$/);
  }
});
