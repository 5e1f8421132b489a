/** Export store: encrypted records, one compilation, and deletion on time. */
import { newTraceparent } from "../../lib/trace_context.ts";
import assert from "node:assert/strict";
import { compilePerformer } from "../../actors/gdpr/effects/compile.ts";
import { writeStore } from "../../db/connect.ts";
import { DomainError } from "../../domain/errors.ts";
import type { Command } from "../../actors/runtime/protocol.ts";
import { deleteExpiredExports, destroyExports, destroyExportsOfCustomer } from "../../db/gdpr_exports.ts";
import {
  cancelRequest,
  collect,
  createExportKeys,
  createExportWorld,
  DAY_MS,
  deliveries,
  documentsOf,
  documentText,
  type ExportRequest,
  exportStore,
  type ExportWorld,
  insertExportRequest,
  interrupted,
  NEVER,
  partNames,
  pausing,
  record,
} from "./export_fixture.ts";

const DOCUMENTS = ["access.html", "access.json", "manifest.json"];

Deno.test("a participant's records are stored with the cursor at which collection resumes", async () => {
  await using exports = await createExportWorld();
  const request = await insertExportRequest(exports);
  const store = exportStore(exports);
  const nothing = { records: 0, resumeAfter: undefined, complete: false };
  assert.deepEqual(await store.readProgressAndProlong(request.key, "order-service"), nothing);

  await store.append(request.key, "order-service", deliveries(0, 30));
  await store.append(request.key, "order-service", deliveries(30, 1));
  await store.append(request.key, "order-service", []);
  const half = { records: 31, resumeAfter: "c30", complete: false };
  assert.deepEqual(await store.readProgressAndProlong(request.key, "order-service"), half);
  assert.deepEqual(await store.readProgressAndProlong(request.key, "payment-service"), nothing);

  await store.finish(request.key, "order-service");
  await store.finish(request.key, "order-service");
  await store.finish(request.key, "customer-service");
  assert.equal((await store.readProgressAndProlong(request.key, "order-service")).complete, true);
  await assert.rejects(store.append(request.key, "order-service", deliveries(31, 1)), {
    code: "REFUSED_IN_STATE",
  });

  await store.compile(request.key, request.description, NEVER);
  assert.deepEqual(await partNames(exports, request), DOCUMENTS);
  const document = JSON.parse(await documentText(exports, request, "access.json"));
  assert.deepEqual(document.sources[1].records, Array.from({ length: 31 }, (_, at) => record(at)));
  assert.deepEqual(document.sources[0].records, []);
});

Deno.test("a chunk is limited in bytes, not in characters; a longer record is a chunk of its own", async () => {
  await using exports = await createExportWorld();
  const request = await insertExportRequest(exports);
  const chunkBytes = 2_000;
  const [nonce, tag] = [12, 16];
  const sizeOf = (text: string) =>
    new TextEncoder().encode(`${JSON.stringify(record(0, { purpose: text }))}\n`);
  // One, two, three and four bytes in UTF-8 for each character; the last is two units of UTF-16.
  const texts = ["a", "é", "漢", "😀"].flatMap((char) => Array.from({ length: 6 }, () => char.repeat(150)));
  const tooLong = "漢".repeat(1_000);
  const records = [...texts, tooLong, "a"].map((purpose, at) => ({
    record: record(0, { purpose }),
    cursor: `c${at}`,
  }));
  await exportStore(exports, { chunkBytes }).append(request.key, "order-service", records);
  const rows = await exports.admin<{ size: number }[]>`
    select octet_length(bytes) as size from gdpr_exports where request_id = ${request.key.requestId} order by chunk`;
  const sizes = rows.map(({ size }) => size - nonce - tag);
  const longSize = sizeOf(tooLong).byteLength;
  assert.deepEqual(sizes.filter((size) => size > chunkBytes), [longSize]);
  assert.equal(sizes.at(-2), longSize);
  const total = records.reduce((sum, { record }) => sum + sizeOf(record.purpose).byteLength, 0);
  assert.equal(sizes.reduce((sum, size) => sum + size, 0), total);
});

Deno.test("of two concurrent appends after the same cursor, one is refused", async () => {
  await using exports = await createExportWorld();
  const request = await insertExportRequest(exports);
  const store = exportStore(exports);
  const from = { resumeAfter: undefined };
  const both = await Promise.allSettled(
    [1, 2].map(() => store.append(request.key, "order-service", deliveries(0, 5), from)),
  );
  assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const refused = both.find((result) => result.status === "rejected");
  assert.equal(refused?.reason.code, "CONFLICT");
  await store.append(request.key, "order-service", deliveries(5, 5), { resumeAfter: "c4" });
  assert.equal((await store.readProgressAndProlong(request.key, "order-service")).records, 10);
});

Deno.test("the tables contain no readable value of a participant", async () => {
  await using exports = await createExportWorld();
  const request = await insertExportRequest(exports);
  const scan = async () => {
    const rows = await exports.admin<{ text: string }[]>`
      select encode(bytes, 'escape') as text from gdpr_exports
      union all select row(p)::text from gdpr_export_parts p`;
    assert.ok(rows.length > 3);
    const text = rows.map(({ text }) => text).join("\n");
    for (const value of ["Kaffee", "article", "carrier", "ten years", "CHF", "\\037\\213"]) {
      assert.ok(!text.includes(value), value);
    }
  };
  await collect(exports, request);
  await scan();
  await exportStore(exports).compile(request.key, request.description, NEVER);
  await scan();
  const other = await insertExportRequest(exports);
  await collect(exports, other);
  const foreign = { ...exports, keys: await createExportKeys() };
  await assert.rejects(
    exportStore(foreign).compile(other.key, other.description, NEVER),
    /was changed or moved/,
  );
});

const DAMAGES: Record<
  string,
  (exports: ExportWorld, request: ExportRequest, other: ExportRequest) => Promise<unknown>
> = {
  "a chunk with a bit flipped": ({ admin }, { key }) =>
    admin`update gdpr_exports set bytes = set_byte(bytes, 40, get_byte(bytes, 40) # 1)
      where request_id = ${key.requestId} and part = 'source/order-service' and chunk = 1`,
  "a chunk cut short": ({ admin }, { key }) =>
    admin`update gdpr_exports set bytes = substr(bytes, 1, length(bytes) - 1)
      where request_id = ${key.requestId} and part = 'source/order-service' and chunk = 0`,
  "an empty chunk": ({ admin }, { key }) =>
    admin`update gdpr_exports set bytes = '' where request_id = ${key.requestId} and chunk = 0`,
  "chunks in another order": ({ admin }, { key }) =>
    admin`update gdpr_exports a set bytes = b.bytes from gdpr_exports b
      where a.request_id = ${key.requestId} and a.part = 'source/order-service' and a.chunk in (0, 1)
        and b.request_id = a.request_id and b.part = a.part and b.chunk = 1 - a.chunk`,
  "a last chunk missing": ({ admin }, { key }) =>
    admin`delete from gdpr_exports where request_id = ${key.requestId} and part = 'source/order-service'
      and chunk = (select max(chunk) from gdpr_exports where request_id = ${key.requestId}
        and part = 'source/order-service')`,
  "a first chunk missing": ({ admin }, { key }) =>
    admin`delete from gdpr_exports where request_id = ${key.requestId} and part = 'source/order-service'
      and chunk = 0`,
  "a middle chunk missing": ({ admin }, { key }) =>
    admin`delete from gdpr_exports where request_id = ${key.requestId} and part = 'source/order-service'
      and chunk = 1`,
  "no chunk at all": ({ admin }, { key }) =>
    admin`delete from gdpr_exports where request_id = ${key.requestId} and part = 'source/order-service'`,
  "another participant's chunk": ({ admin }, { key }) =>
    admin`update gdpr_exports a set bytes = b.bytes from gdpr_exports b
      where a.request_id = ${key.requestId} and a.part = 'source/order-service' and a.chunk = 0
        and b.request_id = a.request_id and b.part = 'source/customer-service' and b.chunk = 0`,
  "another person's chunk": ({ admin }, { key }, other) =>
    admin`update gdpr_exports a set bytes = b.bytes from gdpr_exports b
      where a.request_id = ${key.requestId} and a.part = 'source/order-service' and a.chunk = 0
        and b.request_id = ${other.key.requestId} and b.part = a.part and b.chunk = 0`,
};

Deno.test("chunks that are changed, moved or missing are refused", async (t) => {
  await using exports = await createExportWorld();
  const other = await insertExportRequest(exports);
  await collect(exports, other);
  for (const [name, damage] of Object.entries(DAMAGES)) {
    await t.step(name, async () => {
      const request = await insertExportRequest(exports);
      await collect(exports, request);
      await damage(exports, request, other);
      const refusal = /^Error: Cannot (read|compile) .*(was changed or moved|is missing)/;
      await assert.rejects(exportStore(exports).compile(request.key, request.description, NEVER), refusal);
      assert.deepEqual(await documentsOf(exports, request), []);
    });
  }
  await exportStore(exports).compile(other.key, other.description, NEVER);
});

Deno.test("documents are not compiled before every participant has delivered everything", async () => {
  await using exports = await createExportWorld();
  const request = await insertExportRequest(exports);
  const store = exportStore(exports);
  await store.finish(request.key, "customer-service");
  await store.append(request.key, "order-service", deliveries(0, 3));
  const missing = /order-service has not delivered everything/;
  await assert.rejects(store.compile(request.key, request.description, NEVER), missing);
  assert.deepEqual(await documentsOf(exports, request), []);

  request.description.sources[1]!.waiverReason = "the service was closed";
  await store.compile(request.key, request.description, NEVER);
  const { sources } = JSON.parse(await documentText(exports, request, "access.json"));
  assert.equal(sources[1].records.length, 3);
  assert.equal(sources[1].complete, false);
});

Deno.test("a compilation that crashes at any step leaves no document, and the next one produces one result", async () => {
  await using exports = await createExportWorld();
  let steps = 0;
  for (let dead = false, survived = false; !survived; steps++) {
    const request = await insertExportRequest(exports);
    await collect(exports, request, 8);
    let remaining = steps;
    dead = false;
    const crashing = interrupted(exports.sql, () => {
      dead ||= remaining-- === 0;
      if (dead) throw new Error("killed");
    });
    await exportStore(exports, { sql: crashing }).compile(request.key, request.description, NEVER).then(
      () => survived = true,
      (error) => assert.equal(error.message, "killed"),
    );
    if (!survived) assert.deepEqual(await documentsOf(exports, request), []);

    // The database does not notice the crash, so the claim has to expire.
    exports.now = new Date(exports.now.getTime() + 16_000);
    await exportStore(exports).compile(request.key, request.description, NEVER);
    const before = await storedParts(exports, request);
    await exportStore(exports).compile(request.key, request.description, NEVER);
    assert.deepEqual(await storedParts(exports, request), before);
    assert.deepEqual(await partNames(exports, request), DOCUMENTS);
    const { sources } = JSON.parse(await documentText(exports, request, "access.json"));
    assert.deepEqual(sources.map((source: { recordCount: number }) => source.recordCount), [8, 8]);
  }
  assert.ok(steps >= 20, `${steps} steps`);
});

Deno.test("one of two concurrent compilations runs, and a replica with an expired claim cannot interfere", async () => {
  await using exports = await createExportWorld();
  const request = await insertExportRequest(exports);
  await collect(exports, request);
  const [first, second] = [pausing(exports.sql, 12), pausing(exports.sql, 14)];
  const compile = (sql = exports.sql) =>
    exportStore(exports, { sql }).compile(request.key, request.description, NEVER);

  const dead = assert.rejects(compile(first.sql), /the claim on its documents is lost/);
  await first.reached;
  await assert.rejects(compile(), { code: "UNAVAILABLE" });
  exports.now = new Date(exports.now.getTime() + 16_000);
  const alive = compile(second.sql);
  await second.reached;
  first.release();
  await dead;
  await assert.rejects(compile(), { code: "UNAVAILABLE" });
  second.release();
  await alive;
  for (const document of DOCUMENTS) await documentText(exports, request, document);
});

Deno.test("a request that is canceled while its documents are written keeps no document", async () => {
  await using exports = await createExportWorld();
  const { sql } = exports;
  for (const step of [3, 8, 14]) {
    const request = await insertExportRequest(exports);
    await collect(exports, request);
    let remaining = step;
    const canceling = interrupted(sql, async () => {
      if (remaining-- !== 0) return;
      await cancelRequest(exports, request);
      await writeStore(sql, request.key.storeId, (tx) => destroyExports(tx, request.key));
    });
    await assert.rejects(
      exportStore(exports, { sql: canceling }).compile(request.key, request.description, NEVER),
      /is lost|is missing|are missing|not delivered everything/,
    );
    assert.deepEqual(await partNames(exports, request), []);
    const store = exportStore(exports);
    const refused = { code: "REFUSED_IN_STATE" };
    await assert.rejects(store.compile(request.key, request.description, NEVER), refused);
    await assert.rejects(store.append(request.key, "order-service", deliveries(0, 1)), refused);
    await assert.rejects(store.finish(request.key, "order-service"), refused);
    assert.equal((await store.readProgressAndProlong(request.key, "order-service")).records, 0);
    assert.deepEqual(await partNames(exports, request), []);
  }
});

Deno.test("a service that stops aborts the compilation, and another one can start immediately", async () => {
  await using exports = await createExportWorld();
  const request = await insertExportRequest(exports);
  await collect(exports, request);
  const stopping = new AbortController();
  let remaining = 10;
  const sql = interrupted(exports.sql, () => remaining-- === 0 && stopping.abort());
  const compiling = exportStore(exports, { sql }).compile(request.key, request.description, stopping.signal);
  await assert.rejects(compiling, { name: "AbortError" });
  await exportStore(exports).compile(request.key, request.description, NEVER);
  assert.deepEqual(await partNames(exports, request), DOCUMENTS);
});

Deno.test("documents are deleted after a week, and records a month after the due date or the last access", async () => {
  await using exports = await createExportWorld();
  const worker = exports.world.database.pool("customer_worker", 1);
  const [done, stuck, late] = [
    await insertExportRequest(exports),
    await insertExportRequest(exports),
    await insertExportRequest(exports),
  ];
  for (const request of [done, stuck, late]) await collect(exports, request);
  await exportStore(exports).compile(done.key, done.description, NEVER);
  const start = exports.now.getTime();
  const sweep = async (days: number) => {
    exports.now = new Date(start + days * DAY_MS);
    await deleteExpiredExports(worker, exports.now, 100);
  };

  await sweep(6.9);
  assert.deepEqual(await partNames(exports, done), DOCUMENTS);
  await sweep(7);
  assert.deepEqual(await partNames(exports, done), []);
  await sweep(59.9);
  assert.equal((await partNames(exports, stuck)).length, 2);
  await exportStore(exports).readProgressAndProlong(late.key, "order-service");
  await sweep(60);
  assert.deepEqual(await partNames(exports, stuck), []);
  assert.equal((await partNames(exports, late)).length, 2);
  await sweep(90);
  assert.deepEqual(await partNames(exports, late), []);
  assert.equal((await exports.admin`select from gdpr_exports`).length, 0);
});

Deno.test("an erasure deletes the exports of its subject, and no others", async () => {
  await using exports = await createExportWorld();
  const [gone, stays] = [await insertExportRequest(exports), await insertExportRequest(exports)];
  for (const request of [gone, stays]) {
    await collect(exports, request);
    await exportStore(exports).compile(request.key, request.description, NEVER);
  }
  const { storeId } = gone.key;
  const destroy = (store: string) =>
    writeStore(exports.sql, store, (tx) => destroyExportsOfCustomer(tx, storeId, gone.customer.id));
  assert.equal(await destroy(crypto.randomUUID()), 0);
  assert.equal(await destroy(storeId), 3);
  assert.deepEqual(await partNames(exports, gone), []);
  assert.deepEqual(await partNames(exports, stays), DOCUMENTS);
});

Deno.test("the effect compiles, reports it to the request each time, and ignores a completed request", async () => {
  await using exports = await createExportWorld();
  const request = await insertExportRequest(exports);
  await collect(exports, request);
  const commands: Command[] = [];
  let refuse = false;
  const actors = {
    send(_: unknown, command: Command) {
      if (refuse) throw new DomainError("REFUSED_IN_STATE", "Cannot compile: the request is completed");
      commands.push(command);
      return Promise.reject(new Error("killed before the response"));
    },
  };
  const effect = {
    storeId: request.key.storeId,
    actorId: request.key.requestId,
    traceparent: newTraceparent(),
  } as never;
  const context = { actors, sql: exports.sql, signal: NEVER };
  const describe = () => Promise.resolve(request.description);
  const perform = compilePerformer({ store: exportStore(exports), describe });

  await assert.rejects(perform(effect, context), /killed/);
  await assert.rejects(perform(effect, context), /killed/);
  assert.deepEqual(commands, [{ type: "compiled" }, { type: "compiled" }]);
  refuse = true;
  assert.equal(await perform(effect, context), "done");
  const nothing = compilePerformer({
    store: exportStore(exports),
    describe: () => Promise.resolve(undefined),
  });
  assert.equal(await nothing(effect, context), "done");
  const other = await insertExportRequest(exports);
  const otherEffect = { storeId: other.key.storeId, actorId: other.key.requestId } as never;
  assert.equal(await perform(otherEffect, { ...context, signal: AbortSignal.abort() }), "more");
  await cancelRequest(exports, other);
  assert.equal(await perform(otherEffect, context), "done");
});

async function storedParts({ admin }: ExportWorld, { key }: ExportRequest): Promise<unknown> {
  return [
    await admin`select * from gdpr_export_parts where request_id = ${key.requestId} order by part`,
    await admin`select part, chunk, md5(bytes) from gdpr_exports where request_id = ${key.requestId}
      order by part, chunk`,
  ];
}
