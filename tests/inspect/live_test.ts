/** Limits of live streams: number by person, and duration. */
import { Hono } from "@hono/hono";
import assert from "node:assert/strict";
import { createLive } from "../../inspect/live.ts";
import type { InspectEnv } from "../../inspect/session.ts";
import { serve } from "../graph/server.ts";
import { startInspector } from "./server.ts";

Deno.test("a person can follow twenty pages at once, and does not limit others", async () => {
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

Deno.test("a stream ends after its maximum duration and no longer counts", async () => {
  const live = createLive({ maxDurationMs: 100 });
  const app = new Hono<InspectEnv>()
    .use(async (c, next) => {
      c.set("by", { id: "officer", type: "STAFF", storeId: "store", roles: ["PRIVACY_OFFICER"] });
      await next();
    })
    .get("/", (c) => live.follow(c, () => Promise.resolve("current")));
  await using server = serve(new Hono().route("/", app));
  for (let round = 0; round < 2; round++) {
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${server.addr.port}/`)),
    );
    for (const stream of streams) assert.match(await stream.text(), /^event: now\ndata: \S+\n\n$/);
  }
});
