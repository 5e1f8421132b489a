/** Erasure memory: neither a registration nor a restored backup brings an erased customer back. */
import assert from "node:assert/strict";
import { replaySubjects } from "../../actors/gdpr/requests/replay.ts";
import { enterStore } from "../../db/connect.ts";
import { countErasures, findErasure, findMissing, rememberSubjects } from "../../db/erased_subjects.ts";
import { isProven, proveErasure } from "../../actors/gdpr/requests/erasure_proof.ts";
import { openKeys } from "../../config/keys.ts";
import { readConfig } from "../../config/mod.ts";
import { writeLine } from "../../events/erasure_memory_file.ts";
import { deriveHashKey } from "../../lib/hash_keys.ts";
import { hasEarlierMarker, replaceMarker } from "../../events/restore_marker.ts";
import { createRequestSettings } from "../../actors/gdpr/mod.ts";
import { createRequestFixture } from "./request_fixture.ts";
import { createKeys } from "./keys.ts";
import { createWorld, customerRef, register, tell, type World } from "../actors/world.ts";
import { createRestoredBackup, finish, finishReplay, tablesWithPersonalValues } from "./restored_backup.ts";
import { runTask } from "./task.ts";

const AT = new Date("2026-03-01T10:00:00.000Z");

function subject({ storeId }: World, customerId: string = crypto.randomUUID(), erasedAt = AT) {
  return { storeId, customerId, emailHashes: [new Uint8Array(32).fill(7)], erasedAt };
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

Deno.test("the memory stores the latest erasure of a subject with the hashes of all, in whatever order they come", async () => {
  await using world = await createWorld();
  const [api, worker] = [world.database.pool("customer_api", 2), world.database.pool("customer_worker", 1)];
  const remember = (storeId: string, customerId: string, erasedAt: Date, hash = 7) =>
    api.begin(async (tx) => {
      await enterStore(tx, storeId);
      const emailHashes = [new Uint8Array(32).fill(hash)];
      return await rememberSubjects(tx, [{ storeId, customerId, emailHashes, erasedAt }]);
    });
  assert.equal(await countErasures(worker), 0);
  const [customer, later] = [crypto.randomUUID(), new Date("2026-04-01T00:00:00Z")];
  assert.deepEqual([...await remember(world.storeId, customer, AT)], [customer]);
  for (const at of [later, AT, later]) assert.deepEqual([...await remember(world.storeId, customer, at)], []);
  await remember(world.storeId, customer, AT, 8);
  const erasedAt = await api.begin(async (tx) => {
    await enterStore(tx, world.storeId);
    return await findErasure(tx, world.storeId, customer);
  });
  assert.deepEqual(erasedAt, later);
  await remember(crypto.randomUUID(), customer, later);
  assert.equal(await countErasures(worker), 2);

  const emailHashes = [7, 8].map((byte) => new Uint8Array(32).fill(byte));
  const known = { storeId: world.storeId, customerId: customer, emailHashes, erasedAt: AT };
  const lacking = [
    { ...known, storeId: crypto.randomUUID() },
    { ...known, customerId: crypto.randomUUID() },
    { ...known, emailHashes: [...emailHashes, new Uint8Array(32).fill(9)] },
  ];
  assert.deepEqual(await findMissing(worker, [known, ...lacking]), lacking);
  await assert.rejects(worker`select * from erased_subjects`, { code: "42501" });
  await assert.rejects(worker`select * from email_hashes`, { code: "42501" });
});

Deno.test("the memory knows every email that the account has had, and the event names them to participants", async () => {
  await using world = await createWorld();
  const ref = await register(world, { email: "first@example.com" });
  for (const email of ["Second@example.com", "second@EXAMPLE.com", "third@example.com"]) {
    await tell(world, ref, "profile.update", { email });
  }
  const other = await register(world, { email: "first@example.com" }); // free again while the account exists
  await tell(world, other, "profile.update", { email: "another@example.com" });
  await finish(world, await createRequestFixture(world).open(ref, "ERASURE"));
  for (const email of ["first@example.com", "second@example.com", "THIRD@example.com"]) {
    await assert.rejects(tell(world, customerRef(world), "register", { email }), {
      code: "REFUSED_IN_STATE",
    });
  }
  await tell(world, customerRef(world), "register", { email: "another@example.com" }).catch((error) =>
    assert.equal(error.code, "ALREADY_EXISTS")
  );
  const rows = await world.admin<{ topic: string; payload: Record<string, unknown> }[]>`
    select topic, payload from outbox where topic in ('customer.erasure_requested', 'customer.erased') order by seq`;
  const [requested, erased] = [rows[0]!.payload, rows.at(-1)!.payload];
  const participantHashes = (requested.emailHashes as { keyId: string; hash: string }[]).map(({ hash }) =>
    hash
  );
  const memoryHashes = erased.emailHashes as string[];
  assert.deepEqual([new Set(participantHashes).size, new Set(memoryHashes).size], [3, 3]);
  // A participant, which can compute its own hashes, cannot test emails against the memory.
  assert.deepEqual(memoryHashes.filter((hash) => participantHashes.includes(hash)), []);
});

Deno.test("after the hash key is replaced, earlier erasures and entries stay known while the old key is configured", async () => {
  const secret = () => crypto.getRandomValues(new Uint8Array(32));
  const [old, current] = [await deriveHashKey(secret()), await deriveHashKey(secret())];
  assert.notEqual(old.id, current.id);
  const keys = await createKeys();
  const settings = (hashKeys: typeof keys.hashKeys) =>
    createRequestSettings({
      participants: ["order-service"],
      graceMs: 0,
      fourEyes: false,
      fetchWaitMs: 0,
      maxSignInAgeMs: 900_000,
    }, {
      ...keys,
      hashKeys,
    });
  const email = "rotated@example.com";
  const [before] = await settings([old]).hashEmail(email);
  const both = await settings([current, old]).hashEmail(email);
  assert.deepEqual(both.map(({ keyId }) => keyId), [current.id, old.id]);
  assert.deepEqual(both[1], before);
  assert.notDeepEqual(both[0]!.hash, before!.hash);

  const entry = { storeId: crypto.randomUUID(), customerId: crypto.randomUUID(), erasedAt: AT };
  const subject = { ...entry, emailHashes: [before!.hash] };
  const proof = await proveErasure([old], subject);
  assert.ok(await isProven([current, old], subject, proof));
  assert.ok(!await isProven([current], subject, proof));
  assert.ok(!await isProven([current, old], { ...subject, customerId: crypto.randomUUID() }, proof));
  assert.ok(!await isProven([current, old], { ...subject, emailHashes: [new Uint8Array(32)] }, proof));
  assert.ok(!await isProven([current, old], subject, { ...proof, keyId: current.id }));
});

Deno.test("the marker file recognizes a restored database, also after it has erased others", async () => {
  await using restored = await createRestoredBackup();
  await using folder = await temporaryFolder();
  const file = `${folder.path}/marker`;
  const worker = (world: World) => world.database.pool("customer_worker", 1);
  const [erased, backup] = [worker(restored.erased), worker(restored.restored)];
  assert.equal(await hasEarlierMarker(erased, file), false);
  const first = await Deno.readTextFile(file);
  assert.equal(await hasEarlierMarker(erased, file), false);
  assert.equal(await Deno.readTextFile(file), first, "unchanged without a further erasure");
  assert.equal(await hasEarlierMarker(backup, file), true);
  const { bystander } = restored;
  await finish(restored.restored, await createRequestFixture(restored.restored).open(bystander, "ERASURE"));
  assert.equal(await hasEarlierMarker(backup, file), true, "another erasure hides nothing");
  assert.equal(await Deno.readTextFile(file), first, "a restored database does not write the file");
  await replaceMarker(backup, file);
  assert.equal(await hasEarlierMarker(backup, file), false);
  assert.equal(await hasEarlierMarker(erased, file), true);
});

Deno.test("after a restore, a replay from the memory file erases the person again, once", async (t) => {
  await using restored = await createRestoredBackup();
  await using folder = await temporaryFolder();
  const env = (world: World) => ({ DATABASE_URL: world.database.url, DATA_DIR: folder.path });
  const file = `${folder.path}/memory.jsonl`;
  const replay = async (expected: string, ...options: string[]) => {
    const { code, stdout, stderr } = await runTask(
      "erasure",
      ["replay", "--from", file, ...options],
      env(restored.restored),
    );
    assert.deepEqual([code, stdout.trimEnd().split("\n").at(-1), stderr], [0, expected, ""]);
  };

  await t.step("the memory is printed as lines, without a personal value", async () => {
    const { code, stdout, stderr } = await runTask("erasure", ["memory"], env(restored.erased));
    assert.deepEqual([code, stderr], [0, "1 subject\n"]);
    const { email_hashes, erased_at, key_id: _, proof, ...ids } = JSON.parse(stdout);
    assert.match(proof, /^[0-9a-f]{64}$/);
    assert.deepEqual(ids, { store_id: restored.person.storeId, customer_id: restored.person.id });
    assert.equal(email_hashes.length, 1);
    assert.match(email_hashes[0], /^[0-9a-f]{64}$/);
    assert.equal(new Date(erased_at).toISOString(), erased_at);
    assert.deepEqual(await tablesWithPersonalValues(restored.erased), []);
    await Deno.writeTextFile(file, stdout);
  });

  await t.step("the backup contains the person", async () => {
    assert.deepEqual(await tablesWithPersonalValues(restored.restored), ["customer_addresses", "customers"]);
  });

  await t.step("a dry run prints whom a replay would erase, and changes nothing", async () => {
    const { admin } = restored.restored;
    const state = () =>
      admin`select (select count(*) from gdpr_requests), (select count(*) from email_hashes)`;
    const before = await state();
    const { stdout } = await runTask(
      "erasure",
      ["replay", "--from", file, "--dry-run"],
      env(restored.restored),
    );
    const { storeId, id } = restored.person;
    assert.ok(stdout.includes(`Would erase customer ${id} of store ${storeId}\n`), stdout);
    assert.ok(
      stdout.includes(`Store ${storeId}: 1 entries about 1 persons; 1 to remember, 1 to erase again`),
      stdout,
    );
    assert.deepEqual(await state(), before);
    assert.equal((await admin`select from erasure_memory_decisions`).length, 0);
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
    const decisions = await restored.restored.admin`select distinct decision from erasure_memory_decisions`;
    assert.deepEqual([...decisions], [{ decision: "REPLAYED" }]);
  });
});

Deno.test("a replay reports every line that it cannot read, and processes the others", async () => {
  await using world = await createWorld();
  await using folder = await temporaryFolder();
  const env = { DATABASE_URL: world.database.url, DATA_DIR: folder.path };
  const [first, last] = [await register(world), await register(world)];
  const { hashKeys } = await openKeys(readConfig({}).gdpr.keys, folder.path);
  const entry = async (customerId: string) => {
    const erased = subject(world, customerId);
    return JSON.parse(writeLine(erased, await proveErasure(hashKeys, erased)));
  };
  const line = async (fields: object = {}, customerId: string = crypto.randomUUID()) =>
    JSON.stringify({ ...await entry(customerId), ...fields });
  const forged = await register(world);
  const lines = await Promise.all([
    line({ customer_id: first.id.toUpperCase(), request_id: crypto.randomUUID() }, first.id),
    "garbage",
    line({ email_hashes: ["short"] }),
    "",
    line({ erased_at: "yesterday" }),
    line(),
    line().then((text) => `[${text}]`),
    line({ store_id: "no store" }),
    line({}, last.id),
    line().then((text) => text.slice(0, -9)),
    line({ customer_id: forged.id }),
    line({ proof: undefined, key_id: undefined }, forged.id),
    line({ key_id: "00".repeat(8) }, forged.id),
  ]);
  const file = `${folder.path}/memory.jsonl`;
  await Deno.writeTextFile(file, lines.join("\r\n"));
  const { code, stdout, stderr } = await runTask("erasure", ["replay", "--from", file], env);
  assert.equal(code, 1);
  assert.match(stdout, /\n3 remembered, 2 erased again, 0 already erased, 1 unknown\n$/);
  assert.deepEqual(stderr.trimEnd().split("\n"), [
    ...[2, 3, 5, 7, 8, 10].map((number) => `Cannot read line ${number}`),
    ...[11, 12, 13].map((number) => `Cannot verify line ${number}`),
    "Cannot use 9 of 12 entries, named above (6 unreadable, 3 not signed by this service): their persons are not " +
    "erased again",
  ]);
  const isOpen = () => world.admin`select from gdpr_requests where customer_id = ${forged.id}`;
  assert.equal((await isOpen()).length, 0, "a forged line erases no customer");
  const trusted = await runTask("erasure", ["replay", "--from", file, "--trust-unsigned"], env);
  assert.equal(trusted.code, 1, "unreadable lines remain");
  assert.equal((await isOpen()).length, 1);
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
    [["accept"], nowhere, /--reason/],
    [["accept", "--reason", "tried"], nowhere, /neither KAFKA_BROKERS nor GDPR_MARKER_FILE/],
    [["replay", "--from", file, "--force"], nowhere, /--from/],
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
