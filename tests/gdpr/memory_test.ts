/** Erasure memory: neither a registration nor a restored backup brings an erased customer back. */
import assert from "node:assert/strict";
import { replaySubjects } from "../../actors/gdpr/requests/replay.ts";
import { enterStore } from "../../db/connect.ts";
import { findErasedSubject, findLastErasure, rememberSubjects } from "../../db/erased_subjects.ts";
import { createWorld, customerRef, register, tell, type World } from "../actors/world.ts";
import { createRestoredBackup, finishReplay, tablesWithPersonalValues } from "./restored_backup.ts";
import { runTask } from "./task.ts";

const AT = new Date("2026-03-01T10:00:00.000Z");

function subject({ storeId }: World, customerId: string = crypto.randomUUID(), erasedAt = AT) {
  return { storeId, customerId, emailHash: new Uint8Array(32).fill(7), erasedAt };
}

async function temporaryFolder() {
  const path = await Deno.makeTempDir({ prefix: "customer-service-memory-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("an erased customer ID cannot be registered again in the same store", async () => {
  await using world = await createWorld();
  const api = world.database.pool("customer_api", 2);
  const ref = customerRef(world);
  await replaySubjects(api, world.actors, [subject(world, ref.id)]);
  await assert.rejects(tell(world, ref, "register", { email: "back@example.com" }), {
    code: "REFUSED_IN_STATE",
    message: `Cannot register ${ref.id}: it was erased on 2026-03-01`,
  });
  const other = { ...world, storeId: crypto.randomUUID() };
  other.system = { ...world.system, storeId: other.storeId };
  await tell(other, { ...ref, storeId: other.storeId }, "register", { email: "back@example.com" });
  await register(world, { email: "back@example.com" }); // the person may register again under another ID
});

Deno.test("the memory stores the latest erasure of a subject, and returns the newest of all stores", async () => {
  await using world = await createWorld();
  const [api, worker] = [world.database.pool("customer_api", 2), world.database.pool("customer_worker", 1)];
  const remember = (storeId: string, customerId: string, erasedAt: Date) =>
    api.begin(async (tx) => {
      await enterStore(tx, storeId);
      return await rememberSubjects(tx, [{ ...subject(world, customerId, erasedAt), storeId }]);
    });
  assert.equal(await findLastErasure(worker), undefined);
  const [customer, later, elsewhere] = [
    crypto.randomUUID(),
    new Date("2026-04-01T00:00:00Z"),
    crypto.randomUUID(),
  ];
  assert.deepEqual([...await remember(world.storeId, customer, AT)], [customer]);
  for (const at of [later, AT, later]) assert.deepEqual([...await remember(world.storeId, customer, at)], []);
  const subjectRow = await api.begin(async (tx) => {
    await enterStore(tx, world.storeId);
    return await findErasedSubject(tx, world.storeId, customer);
  });
  assert.deepEqual(subjectRow?.erasedAt, later);
  assert.deepEqual(await findLastErasure(worker), later);
  const newest = new Date("2026-05-01T00:00:00Z");
  await remember(elsewhere, crypto.randomUUID(), newest);
  assert.deepEqual(await findLastErasure(worker), newest);
  await assert.rejects(worker`select * from erased_subjects`, { code: "42501" });
  await assert.rejects(api`select lookup_last_erasure()`, { code: "42501" });
});

Deno.test("after a restore, a replay from the memory file erases the person again, once", async (t) => {
  await using restored = await createRestoredBackup();
  await using folder = await temporaryFolder();
  const env = (world: World) => ({ DATABASE_URL: world.database.url, DATA_DIR: folder.path });
  const file = `${folder.path}/memory.jsonl`;
  const replay = async (expected: string) => {
    const { code, stdout, stderr } = await runTask(
      "erasure",
      ["replay", "--from", file],
      env(restored.restored),
    );
    assert.deepEqual([code, stdout.trimEnd().split("\n").at(-1), stderr], [0, expected, ""]);
  };

  await t.step("the memory is printed as lines, without a personal value", async () => {
    const { code, stdout, stderr } = await runTask("erasure", ["memory"], env(restored.erased));
    assert.deepEqual([code, stderr], [0, "1 subject\n"]);
    const { email_hash, erased_at, ...ids } = JSON.parse(stdout);
    assert.deepEqual(ids, { store_id: restored.person.storeId, customer_id: restored.person.id });
    assert.match(email_hash, /^[0-9a-f]{64}$/);
    assert.equal(new Date(erased_at).toISOString(), erased_at);
    assert.deepEqual(await tablesWithPersonalValues(restored.erased), []);
    await Deno.writeTextFile(file, stdout);
  });

  await t.step("the backup contains the person", async () => {
    assert.deepEqual(await tablesWithPersonalValues(restored.restored), ["customer_addresses", "customers"]);
  });

  await t.step("a replay starts the erasure once", async () => {
    await replay("1 remembered, 1 erased again, 0 already erased, 0 unknown");
    await replay("0 remembered, 0 erased again, 0 already erased, 0 unknown, 1 with an erasure in progress");
  });

  await t.step(
    "the service completes the erasure with a receipt that states the reason",
    () => finishReplay(restored),
  );

  await t.step("another replay changes nothing", async () => {
    await replay("0 remembered, 0 erased again, 1 already erased, 0 unknown");
  });
});

Deno.test("a replay reports every line that it cannot read, and processes the others", async () => {
  await using world = await createWorld();
  await using folder = await temporaryFolder();
  const env = { DATABASE_URL: world.database.url, DATA_DIR: folder.path };
  const [first, last] = [await register(world), await register(world)];
  const line = (fields: object) =>
    JSON.stringify({
      store_id: world.storeId,
      customer_id: crypto.randomUUID(),
      email_hash: "ab".repeat(32),
      erased_at: AT.toISOString(),
      ...fields,
    });
  const lines = [
    line({ customer_id: first.id.toUpperCase(), request_id: crypto.randomUUID() }),
    "garbage",
    line({ email_hash: "short" }),
    "",
    line({ erased_at: "yesterday" }),
    line({}),
    `[${line({})}]`,
    line({ store_id: "no store" }),
    line({ customer_id: last.id }),
    line({ customer_id: crypto.randomUUID() }).slice(0, -9),
  ];
  const file = `${folder.path}/memory.jsonl`;
  await Deno.writeTextFile(file, lines.join("\r\n"));
  const { code, stdout, stderr } = await runTask("erasure", ["replay", "--from", file], env);
  assert.equal(code, 1);
  assert.match(stdout, /\n3 remembered, 2 erased again, 0 already erased, 1 unknown\n$/);
  assert.deepEqual(stderr.trimEnd().split("\n"), [
    ...[2, 3, 5, 7, 8, 10].map((number) => `Cannot read line ${number}`),
    "Cannot read 6 of 9 entries, named above: their persons are not erased again",
  ]);
});

Deno.test("erasure task reports wrong usage in one sentence with exit code 1", async () => {
  await using folder = await temporaryFolder();
  const nowhere = { DATABASE_URL: "postgres://service:secret@127.0.0.1:1/none", DATA_DIR: folder.path };
  const file = `${folder.path}/empty.jsonl`;
  await Deno.writeTextFile(file, "");
  const wrong: [string[], Record<string, string>, RegExp][] = [
    [[], nowhere, /see erasure --help/],
    [["forget"], nowhere, /see erasure --help/],
    [["replay"], nowhere, /--from/],
    [["replay", "--from", "kafka"], nowhere, /KAFKA_BROKERS is not set/],
    [["replay", "--from", `${folder.path}/missing`], nowhere, /No such file/i],
    [["replay", "--from", file], { DATA_DIR: folder.path }, /DATABASE_URL is not set/],
    [["memory"], { DATA_DIR: folder.path }, /DATABASE_URL is not set/],
    [["memory"], nowhere, /ECONNREFUSED/],
    [["memory"], { ...nowhere, HTTP_PORT: "http" }, /HTTP_PORT/],
  ];
  await Promise.all(wrong.map(async ([args, env, message]) => {
    const { code, stderr } = await runTask("erasure", args, env);
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, /^Cannot /);
    assert.match(stderr, message);
    assert.ok(!stderr.includes("secret"));
  }));
  const { code, stdout } = await runTask("erasure", ["--help"]);
  assert.deepEqual([code, stdout.includes("--from kafka")], [0, true]);
});
