/** What sources deliver and what is made of it: encrypted, once, in bounded memory, and gone in time. */
import { newTraceparent } from "../../lib/trace_context.ts";
import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { compilePerformer } from "../../actors/gdpr/effects/compile.ts";
import { writeStore } from "../../db/connect.ts";
import { DomainError } from "../../domain/errors.ts";
import type { Command } from "../../actors/runtime/protocol.ts";
import { deleteExpiredExports, destroyExports, destroyExportsOfCustomer } from "../../db/gdpr_exports.ts";
import {
  ask,
  type Asked,
  collect,
  createExportWorld,
  createKeys,
  DAY_MS,
  deliveries,
  documentsOf,
  documentText,
  end,
  type ExportWorld,
  freezing,
  interrupted,
  NEVER,
  partNames,
  record,
  storeOf,
} from "./exports.ts";

const DOCUMENTS = ["access.html", "access.json", "manifest.json"];

Deno.test("a source's records are kept with the place where it goes on", async () => {
  await using exports = await createExportWorld();
  const asked = await ask(exports);
  const store = storeOf(exports);
  const nothing = { records: 0, resumeAfter: undefined, complete: false };
  assert.deepEqual(await store.progress(asked.key, "order-service"), nothing);

  await store.append(asked.key, "order-service", deliveries(0, 30));
  await store.append(asked.key, "order-service", deliveries(30, 1));
  await store.append(asked.key, "order-service", []);
  const half = { records: 31, resumeAfter: "c30", complete: false };
  assert.deepEqual(await store.progress(asked.key, "order-service"), half);
  assert.deepEqual(await store.progress(asked.key, "payment-service"), nothing);

  await store.finish(asked.key, "order-service");
  await store.finish(asked.key, "order-service");
  await store.finish(asked.key, "customer-service");
  assert.equal((await store.progress(asked.key, "order-service")).complete, true);
  await assert.rejects(store.append(asked.key, "order-service", deliveries(31, 1)), {
    code: "REFUSED_IN_STATE",
  });

  await store.compile(asked.key, asked.description, NEVER);
  assert.deepEqual(await partNames(exports, asked), DOCUMENTS);
  const document = JSON.parse(await documentText(exports, asked, "access.json"));
  assert.deepEqual(document.sources[1].records, Array.from({ length: 31 }, (_, at) => record(at)));
  assert.deepEqual(document.sources[0].records, []);
});

Deno.test("of two that collect from one place only one is believed", async () => {
  await using exports = await createExportWorld();
  const asked = await ask(exports);
  const store = storeOf(exports);
  const from = { resumeAfter: undefined };
  const both = await Promise.allSettled(
    [1, 2].map(() => store.append(asked.key, "order-service", deliveries(0, 5), from)),
  );
  assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const refused = both.find((result) => result.status === "rejected");
  assert.equal(refused?.reason.code, "CONFLICT");
  await store.append(asked.key, "order-service", deliveries(5, 5), { resumeAfter: "c4" });
  assert.equal((await store.progress(asked.key, "order-service")).records, 10);
});

Deno.test("nothing that a source has told can be read in the tables", async () => {
  await using exports = await createExportWorld();
  const asked = await ask(exports);
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
  await collect(exports, asked);
  await scan();
  await storeOf(exports).compile(asked.key, asked.description, NEVER);
  await scan();
  const other = await ask(exports);
  await collect(exports, other);
  const foreign = { ...exports, keys: await createKeys() };
  await assert.rejects(storeOf(foreign).compile(other.key, other.description, NEVER), /was changed or moved/);
});

const DAMAGES: Record<string, (exports: ExportWorld, asked: Asked, other: Asked) => Promise<unknown>> = {
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
  "another source's chunk": ({ admin }, { key }) =>
    admin`update gdpr_exports a set bytes = b.bytes from gdpr_exports b
      where a.request_id = ${key.requestId} and a.part = 'source/order-service' and a.chunk = 0
        and b.request_id = a.request_id and b.part = 'source/customer-service' and b.chunk = 0`,
  "another person's chunk": ({ admin }, { key }, other) =>
    admin`update gdpr_exports a set bytes = b.bytes from gdpr_exports b
      where a.request_id = ${key.requestId} and a.part = 'source/order-service' and a.chunk = 0
        and b.request_id = ${other.key.requestId} and b.part = a.part and b.chunk = 0`,
};

Deno.test("chunks that were changed, moved or left out are refused", async (t) => {
  await using exports = await createExportWorld();
  const other = await ask(exports);
  await collect(exports, other);
  for (const [name, damage] of Object.entries(DAMAGES)) {
    await t.step(name, async () => {
      const asked = await ask(exports);
      await collect(exports, asked);
      await damage(exports, asked, other);
      const refusal = /^Error: Cannot (read|compile) .*(was changed or moved|is missing)/;
      await assert.rejects(storeOf(exports).compile(asked.key, asked.description, NEVER), refusal);
      assert.deepEqual(await documentsOf(exports, asked), []);
    });
  }
  await storeOf(exports).compile(other.key, other.description, NEVER);
});

Deno.test("a store does not compile before every source has told everything", async () => {
  await using exports = await createExportWorld();
  const asked = await ask(exports);
  const store = storeOf(exports);
  await store.finish(asked.key, "customer-service");
  await store.append(asked.key, "order-service", deliveries(0, 3));
  const missing = /order-service has not delivered everything/;
  await assert.rejects(store.compile(asked.key, asked.description, NEVER), missing);
  assert.deepEqual(await documentsOf(exports, asked), []);

  asked.description.sources[1]!.waiverReason = "the service was closed";
  await store.compile(asked.key, asked.description, NEVER);
  const { sources } = JSON.parse(await documentText(exports, asked, "access.json"));
  assert.equal(sources[1].records.length, 3);
  assert.equal(sources[1].complete, false);
});

Deno.test("a compilation that dies at any step leaves nothing that counts, and the next one gives one result", async () => {
  await using exports = await createExportWorld();
  let steps = 0;
  for (let dead = false, survived = false; !survived; steps++) {
    const asked = await ask(exports);
    await collect(exports, asked, 8);
    let left = steps;
    dead = false;
    const dying = interrupted(exports.sql, () => {
      dead ||= left-- === 0;
      if (dead) throw new Error("killed");
    });
    await storeOf(exports, { sql: dying }).compile(asked.key, asked.description, NEVER).then(
      () => survived = true,
      (error) => assert.equal(error.message, "killed"),
    );
    if (!survived) assert.deepEqual(await documentsOf(exports, asked), []);

    // Nobody has told the database that the writer is dead: its claim has to run out.
    exports.now = new Date(exports.now.getTime() + 16_000);
    await storeOf(exports).compile(asked.key, asked.description, NEVER);
    const before = await everything(exports, asked);
    await storeOf(exports).compile(asked.key, asked.description, NEVER);
    assert.deepEqual(await everything(exports, asked), before);
    assert.deepEqual(await partNames(exports, asked), DOCUMENTS);
    const { sources } = JSON.parse(await documentText(exports, asked, "access.json"));
    assert.deepEqual(sources.map((source: { recordCount: number }) => source.recordCount), [8, 8]);
  }
  assert.ok(steps >= 20, `${steps} steps`);
});

Deno.test("of two replicas that compile at once one does, and one that was taken for dead cannot spoil it", async () => {
  await using exports = await createExportWorld();
  const asked = await ask(exports);
  await collect(exports, asked);
  const [first, second] = [freezing(exports.sql, 12), freezing(exports.sql, 14)];
  const compile = (sql = exports.sql) =>
    storeOf(exports, { sql }).compile(asked.key, asked.description, NEVER);

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
  for (const document of DOCUMENTS) await documentText(exports, asked, document);
});

Deno.test("a request that ends while its documents are written leaves none of them", async () => {
  await using exports = await createExportWorld();
  const { sql } = exports;
  for (const step of [3, 8, 14]) {
    const asked = await ask(exports);
    await collect(exports, asked);
    let left = step;
    const cancelling = interrupted(sql, async () => {
      if (left-- !== 0) return;
      await end(exports, asked);
      await writeStore(sql, asked.key.storeId, (tx) => destroyExports(tx, asked.key));
    });
    await assert.rejects(
      storeOf(exports, { sql: cancelling }).compile(asked.key, asked.description, NEVER),
      /is lost|is missing|are missing|not delivered everything/,
    );
    assert.deepEqual(await partNames(exports, asked), []);
    const store = storeOf(exports);
    const refused = { code: "REFUSED_IN_STATE" };
    await assert.rejects(store.compile(asked.key, asked.description, NEVER), refused);
    await assert.rejects(store.append(asked.key, "order-service", deliveries(0, 1)), refused);
    await assert.rejects(store.finish(asked.key, "order-service"), refused);
    assert.equal((await store.progress(asked.key, "order-service")).records, 0);
    assert.deepEqual(await partNames(exports, asked), []);
  }
});

Deno.test("a service that stops ends the compilation early, and another one may start at once", async () => {
  await using exports = await createExportWorld();
  const asked = await ask(exports);
  await collect(exports, asked);
  const stopping = new AbortController();
  let left = 10;
  const sql = interrupted(exports.sql, () => left-- === 0 && stopping.abort());
  const compiling = storeOf(exports, { sql }).compile(asked.key, asked.description, stopping.signal);
  await assert.rejects(compiling, { name: "AbortError" });
  await storeOf(exports).compile(asked.key, asked.description, NEVER);
  assert.deepEqual(await partNames(exports, asked), DOCUMENTS);
});

Deno.test("documents go after a week, and what was collected a month after the due date or the last asking", async () => {
  await using exports = await createExportWorld();
  const worker = exports.world.database.pool("customer_worker", 1);
  const [done, stuck, late] = [await ask(exports), await ask(exports), await ask(exports)];
  for (const asked of [done, stuck, late]) await collect(exports, asked);
  await storeOf(exports).compile(done.key, done.description, NEVER);
  const start = exports.now.getTime();
  const sweep = async (days: number) => {
    exports.now = new Date(start + days * DAY_MS);
    await deleteExpiredExports(worker, exports.now);
  };

  await sweep(6.9);
  assert.deepEqual(await partNames(exports, done), DOCUMENTS);
  await sweep(7);
  assert.deepEqual(await partNames(exports, done), []);
  await sweep(59.9);
  assert.equal((await partNames(exports, stuck)).length, 2);
  await storeOf(exports).progress(late.key, "order-service");
  await sweep(60);
  assert.deepEqual(await partNames(exports, stuck), []);
  assert.equal((await partNames(exports, late)).length, 2);
  await sweep(90);
  assert.deepEqual(await partNames(exports, late), []);
  assert.equal((await exports.admin`select from gdpr_exports`).length, 0);
});

Deno.test("an erasure destroys what is kept for its subject, and for nobody else", async () => {
  await using exports = await createExportWorld();
  const [gone, stays] = [await ask(exports), await ask(exports)];
  for (const asked of [gone, stays]) {
    await collect(exports, asked);
    await storeOf(exports).compile(asked.key, asked.description, NEVER);
  }
  const { storeId } = gone.key;
  const destroy = (store: string) =>
    writeStore(exports.sql, store, (tx) => destroyExportsOfCustomer(tx, storeId, gone.customer.id));
  assert.equal(await destroy(crypto.randomUUID()), 0);
  assert.equal(await destroy(storeId), 3);
  assert.deepEqual(await partNames(exports, gone), []);
  assert.deepEqual(await partNames(exports, stays), DOCUMENTS);
});

Deno.test("100,000 records pass through in bounded memory", async () => {
  await using exports = await createExportWorld();
  const asked = await ask(exports, ["order-service"]);
  const store = storeOf(exports, { chunkBytes: 64 * 1024 });
  for (let at = 0; at < 100_000; at += 1_000) {
    await store.append(asked.key, "order-service", deliveries(at, 1_000));
  }
  await store.finish(asked.key, "order-service");

  const used = measure();
  const before = used();
  let [most, steps] = [0, 0];
  const sql = interrupted(exports.sql, () => {
    if (++steps % 10 === 0) most = Math.max(most, used());
  });
  const started = performance.now();
  const compiling = storeOf(exports, { sql, chunkBytes: 64 * 1024 });
  await compiling.compile(asked.key, asked.description, NEVER);
  const seconds = (performance.now() - started) / 1_000;
  const documents = await documentsOf(exports, asked);
  const megabytes = documents.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20;
  const growth = (most - before) / 2 ** 20;
  const told = `${megabytes.toFixed()} MB in ${seconds.toFixed(1)} s with ${growth.toFixed()} MB more`;

  assert.ok(megabytes > 60 && steps > 100 && growth < 20, told);
  const manifest = JSON.parse(await documentText(exports, asked, "manifest.json"));
  assert.deepEqual(manifest.parts.map((part: { name: string }) => part.name), DOCUMENTS.slice(0, 2));
});

Deno.test("the effect compiles, tells the request so however often, and lets an ended request be", async () => {
  await using exports = await createExportWorld();
  const asked = await ask(exports);
  await collect(exports, asked);
  const told: Command[] = [];
  let refuse = false;
  const actors = {
    send(_: unknown, command: Command) {
      if (refuse) throw new DomainError("REFUSED_IN_STATE", "Cannot compiled: it is over");
      told.push(command);
      return Promise.reject(new Error("killed before the answer"));
    },
  };
  const effect = {
    storeId: asked.key.storeId,
    actorId: asked.key.requestId,
    traceparent: newTraceparent(),
  } as never;
  const context = { actors, sql: exports.sql, signal: NEVER };
  const describe = () => Promise.resolve(asked.description);
  const perform = compilePerformer({ store: storeOf(exports), describe });

  await assert.rejects(perform(effect, context), /killed/);
  await assert.rejects(perform(effect, context), /killed/);
  assert.deepEqual(told, [{ type: "compiled" }, { type: "compiled" }]);
  refuse = true;
  assert.equal(await perform(effect, context), "done");
  const nothing = compilePerformer({ store: storeOf(exports), describe: () => Promise.resolve(undefined) });
  assert.equal(await nothing(effect, context), "done");
  const other = await ask(exports);
  const otherEffect = { storeId: other.key.storeId, actorId: other.key.requestId } as never;
  assert.equal(await perform(otherEffect, { ...context, signal: AbortSignal.abort() }), "more");
  await end(exports, other);
  assert.equal(await perform(otherEffect, context), "done");
});

async function everything({ admin }: ExportWorld, { key }: Asked): Promise<unknown> {
  return [
    await admin`select * from gdpr_export_parts where request_id = ${key.requestId} order by part`,
    await admin`select part, chunk, md5(bytes) from gdpr_exports where request_id = ${key.requestId}
      order by part, chunk`,
  ];
}

/** Tells the bytes of the objects and buffers that are still referred to. */
function measure(): () => number {
  v8.setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = vm.runInNewContext("gc");
  return () => {
    collectGarbage();
    const { heapUsed, external } = Deno.memoryUsage();
    return heapUsed + external;
  };
}
