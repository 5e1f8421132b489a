/** Memory in use while many records are collected and compiled. */
import assert from "node:assert/strict";
import type { ExportStore } from "../../actors/gdpr/types.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { heldMegabytes } from "../memory.ts";
import { startPeerProcess } from "../rpc/peer.ts";
import { createCollectionFixture } from "./collection_fixture.ts";
import {
  createExportWorld,
  deliveries,
  documentsOf,
  documentText,
  exportStore,
  insertExportRequest,
  interrupted,
  NEVER,
} from "./export_fixture.ts";

const [ORDERS = ""] = PARTICIPANTS;

Deno.test("thirty thousand records of a participant are stored in bounded memory", async () => {
  await using peer = await startPeerProcess(30_000);
  await using fixture = await createCollectionFixture({});
  fixture.urls.set(ORDERS, peer.url);
  const request = await fixture.open();
  const start = heldMegabytes();
  let [batches, peak] = [0, start];
  const append: ExportStore["append"] = async (...args) => {
    await fixture.store.append(...args);
    if (++batches % 25 === 0) peak = Math.max(peak, heldMegabytes());
  };
  const store = { ...fixture.store, append };
  assert.equal(await fixture.perform(request, ORDERS, {}, { store }), "done");
  assert.ok(batches >= 60);
  assert.equal((await fixture.recordCounts(request))[ORDERS], 30_000);
  assert.equal((await fixture.participants(request))[ORDERS], "RECEIVED");
  assert.ok(peak - start < 20, `${peak} MiB in use, ${start} MiB at the start, for 27 MiB of records`);
});

Deno.test("40,000 records are compiled in bounded memory", async () => {
  await using exports = await createExportWorld();
  const request = await insertExportRequest(exports, ["order-service"]);
  const store = exportStore(exports, { chunkBytes: 64 * 1024 });
  for (let at = 0; at < 40_000; at += 1_000) {
    await store.append(request.key, "order-service", deliveries(at, 1_000));
  }
  await store.finish(request.key, "order-service");

  const before = heldMegabytes();
  let [peak, steps] = [0, 0];
  const sql = interrupted(exports.sql, () => {
    if (++steps % 10 === 0) peak = Math.max(peak, heldMegabytes());
  });
  const started = performance.now();
  const compiling = exportStore(exports, { sql, chunkBytes: 64 * 1024 });
  await compiling.compile(request.key, request.description, NEVER);
  const seconds = (performance.now() - started) / 1_000;
  const documents = await documentsOf(exports, request);
  const megabytes = documents.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20;
  const growth = peak - before;
  const measurement = `${megabytes.toFixed()} MB in ${
    seconds.toFixed(1)
  } s, memory grew by ${growth.toFixed()} MB`;

  assert.ok(megabytes > 24 && steps > 60 && growth < 16, measurement);
  const manifest = JSON.parse(await documentText(exports, request, "manifest.json"));
  assert.deepEqual(manifest.parts.map((part: { name: string }) => part.name), ["access.html", "access.json"]);
});
