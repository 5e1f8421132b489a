/** A request is completed once, however often the replicas that work it are killed, and wherever. */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { createActors } from "../../actors/mod.ts";
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { requestSettings } from "../actors/settings.ts";
import { ADDRESS, createWorld, register, tell, type World } from "../actors/world.ts";
import { type Order, RECORDS } from "./crash_process.ts";
import { assertFacts, phaseOf } from "./facts.ts";

const SCRIPT = new URL("./crash_process.ts", import.meta.url).pathname;
const PARTICIPANTS = ["order-service", "payment-service"];
/** Longer than any claim holds, so that whatever a killed replica had begun is free. */
const BETWEEN_MS = 16_000;

/** What has to stand in the journal once and in this order, beside questions that are asked again. */
const JOURNALS = {
  ERASURE: [
    "open",
    "grace.ended",
    "participant.confirm",
    "participant.confirm",
    "verified",
  ],
  ACCESS: [
    "open",
    "work.started",
    "source.received",
    "source.received",
    "source.received",
    "compiled",
  ],
};

for (const right of ["ERASURE", "ACCESS"] as const) {
  Deno.test(`${right}: killed before and after each commit of its course, it is completed once`, async () => {
    await using house = await createHouse();
    const request = await open(house, right);
    const seen = new Set<string>();
    let [killings, n] = [0, 1];
    while (await phaseNow(house, request) !== "COMPLETED") {
      for (const at of ["commit", "committed"] as const) {
        const before = await contents(house);
        if (await run(house, { at, n }) === "ended") break;
        killings++;
        const after = await contents(house);
        const same = isDeepStrictEqual(after, before);
        if (n === 1 && at === "commit") assert.ok(same, "what was not committed has not happened");
        // Documents are made from the start by each replica, and some transactions find nothing to write.
        if (at === "committed") n = same ? n + 1 : 1;
        await assertFacts(house.world.admin, request);
        seen.add(await phaseNow(house, request));
        const parts = await house.world.admin`
          select records from gdpr_export_parts where part like 'source/%' and part <> ${`source/${OWN_DATA}`}`;
        assert.ok(parts.every(({ records }) => records <= RECORDS), "no record is kept twice");
      }
      assert.ok(killings < 100, "it comes forward");
    }
    assert.ok(killings >= 2 * JOURNALS[right].length - 4, `${killings} killings`);
    assert.deepEqual([...seen].filter((phase) => !PHASES[right].includes(phase)), []);
    assert.deepEqual(
      PHASES[right].filter((phase) => !seen.has(phase)),
      [],
      "there was a killing in each state",
    );
    await run(house); // whoever comes last has nothing more to do
    await assertCompletedOnce(house, request, right);
  });
}

const PHASES = {
  ERASURE: [
    "PENDING.grace",
    "IN_PROGRESS.awaiting_confirmations",
    "IN_PROGRESS.verifying",
    "COMPLETED",
  ],
  ACCESS: ["PENDING.recorded", "IN_PROGRESS.collecting", "IN_PROGRESS.compiling", "COMPLETED"],
};

Deno.test("the transaction that erases, killed before its statements, has erased nothing", async () => {
  await using house = await createHouse();
  const request = await open(house, "ERASURE");
  const before = await contents(house);
  let statement = 2;
  for (;; statement += 6) {
    const end = await run(house, { at: "statement", n: statement });
    if (end === "ended" || (await phaseNow(house, request)) !== "PENDING.grace") break;
    assert.deepEqual(await contents(house), before, `killed before statement ${statement}`);
    await assertFacts(house.world.admin, request);
  }
  assert.ok(statement > 40, `there were ${statement} statements to be killed before`);
  await run(house);
  await assertCompletedOnce(house, request, "ERASURE");
});

interface House extends AsyncDisposable {
  world: World;
  now: number;
  order: Omit<Order, "now" | "die">;
}

async function createHouse(): Promise<House> {
  const world = await createWorld();
  const diary = await Deno.makeTempFile({ prefix: "diary" });
  return {
    world,
    now: Date.now() + 1_000,
    order: { url: world.database.url, participants: PARTICIPANTS, diary, keys: await createJwks() },
    async [Symbol.asyncDispose]() {
      await Deno.remove(diary);
      await world[Symbol.asyncDispose]();
    },
  };
}

async function createJwks(): Promise<Order["keys"]> {
  const make = crypto.subtle.generateKey.bind(crypto.subtle);
  const aes = await make({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  const hmac = await make({ name: "HMAC", hash: "SHA-256" }, true, ["sign"]);
  const pair = await make("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const tell = (key: CryptoKey) => crypto.subtle.exportKey("jwk", key);
  const [exportKey, hashKey] = [await tell(aes), await tell(hmac)];
  const [secret, open] = [await tell(pair.privateKey), await tell(pair.publicKey)];
  // Whoever opens a key says himself what it is for.
  for (const key of [exportKey, hashKey, secret, open]) delete key.key_ops;
  return { exportKey, hashKey, private: secret, public: open };
}

async function open({ world, order }: House, right: string): Promise<ActorRef> {
  const requests = await requestSettings({ participants: order.participants });
  const actors = createActors(world.database.pool("customer_api", 1), { requests });
  const customer = await register(world, { firstName: "Ada", phone: "+41791234567" });
  await tell(world, customer, "address.add", ADDRESS);
  const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell({ ...world, actors }, ref, "open", { customerId: customer.id, right });
  return ref;
}

/** A replica begins to work, some time after the one before. */
async function run(house: House, die?: Order["die"]): Promise<"killed" | "ended"> {
  house.now += BETWEEN_MS;
  const order: Order = { ...house.order, now: house.now, ...(die && { die }) };
  const { signal, success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, JSON.stringify(order)],
  }).output();
  if (signal === "SIGKILL") return "killed";
  assert.ok(success, new TextDecoder().decode(stderr));
  return "ended";
}

async function phaseNow({ world }: House, { id }: ActorRef): Promise<string> {
  const [row] = await world.admin`select snapshot from gdpr_requests where request_id = ${id}`;
  return phaseOf(row?.snapshot.value);
}

/** What counts of what commits leave behind: claims do not, nor documents that are being written. */
async function contents({ world }: House): Promise<Record<string, unknown>> {
  const [row] = await world.admin`
    select
      (select jsonb_agg(version) from gdpr_requests) as versions,
      (select jsonb_agg(to_jsonb(p) order by service) from gdpr_participants p) as participants,
      (select jsonb_agg(to_jsonb(p) - 'expires_at' order by part) from gdpr_export_parts p
       where complete or part like 'source/%') as parts,
      (select count(*)::int from customers where anonymized_at is null) as customers,
      (select count(*)::int from actor_events) as journal,
      (select count(*)::int from outbox) as outbox,
      (select count(*)::int from effects) as effects,
      (select count(*)::int from timers) as timers,
      (select count(*)::int from erased_subjects) as memory,
      (select count(*)::int from erasure_receipts) as receipts`;
  return { ...row };
}

async function assertCompletedOnce(
  { world, order }: House,
  request: ActorRef,
  right: keyof typeof JOURNALS,
): Promise<void> {
  await assertFacts(world.admin, request);
  const [row] = await world.admin`select outcome from gdpr_requests where request_id = ${request.id}`;
  assert.equal(row?.outcome, "FULFILLED");
  const journal = await world.admin`
    select event_type from actor_events
    where actor_id = ${request.id} and event_type <> 'participant.asked_again' order by sequence`;
  assert.deepEqual(journal.map((row) => row.eventType), JOURNALS[right], "each outcome is recorded once");
  const diary = await Deno.readTextFile(order.diary);
  const verb = right === "ERASURE" ? "anonymises" : "collects";
  for (const service of PARTICIPANTS) assert.ok(diary.includes(`${service} ${verb}\n`), service);
  const participants = await world.admin`
    select service, state from gdpr_participants where request_id = ${request.id} order by service`;
  const state = right === "ERASURE" ? "CONFIRMED" : "RECEIVED";
  const services = right === "ERASURE" ? PARTICIPANTS : [OWN_DATA, ...PARTICIPANTS];
  assert.deepEqual(
    participants.map((row) => [row.service, row.state]),
    services.map((name) => [name, state]),
  );
  const waiting = await world.admin`select type from effects where state <> 'DONE'`;
  assert.deepEqual([...waiting], []);
  const documents = await world.admin`
    select part, complete from gdpr_export_parts where request_id = ${request.id} order by part`;
  const names = right === "ACCESS" ? ["access.html", "access.json", "manifest.json"] : [];
  assert.deepEqual(documents.map((row) => [row.part, row.complete]), names.map((name) => [name, true]));
}
