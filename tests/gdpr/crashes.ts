/** Requests whose replicas are killed: a request completes exactly once. */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { createActors } from "../../actors/mod.ts";
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { requestSettings } from "../actors/settings.ts";
import { ADDRESS, createWorld, register, tell, type World } from "../actors/world.ts";
import { RECORDS, type ReplicaOptions } from "./replica_process.ts";
import { assertInvariants, phaseOf } from "./invariants.ts";

const SCRIPT = new URL("./replica_process.ts", import.meta.url).pathname;
const PARTICIPANTS = ["order-service", "payment-service"];
/** Longer than any claim, so that the work of a killed replica can be claimed again. */
const BETWEEN_MS = 16_000;

/** Expected journal in order, without repeated calls to participants. */
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

/**
 * Kills replicas before and after their commits, in turn, until the request completes.
 *
 * @param next number of the commit to kill at after a kill at the nth has changed nothing
 */
export async function assertCompletesOnce(
  right: "ERASURE" | "ACCESS",
  next = (n: number) => n + 1,
): Promise<void> {
  await using fixture = await createCrashFixture();
  const request = await openRequest(fixture, right);
  const seen = new Set<string>();
  let [kills, n] = [0, 1];
  while (!(await readPhase(fixture, request)).startsWith("COMPLETED")) {
    for (const at of ["commit", "committed"] as const) {
      const before = await contents(fixture);
      if (await run(fixture, { at, n }) === "ended") break;
      kills++;
      const after = await contents(fixture);
      const same = isDeepStrictEqual(after, before);
      if (n === 1 && at === "commit") assert.ok(same, "an uncommitted transaction has no effect");
      // Each replica compiles the documents from the start, and some transactions change nothing.
      if (at === "committed") n = same ? next(n) : 1;
      await assertInvariants(fixture.world.admin, request);
      seen.add(await readPhase(fixture, request));
      const parts = await fixture.world.admin`
          select records from gdpr_export_parts where part like 'source/%' and part <> ${`source/${OWN_DATA}`}`;
      assert.ok(parts.every(({ records }) => records <= RECORDS), "no record is stored twice");
    }
    assert.ok(kills < 100, "the request makes progress");
  }
  assert.ok(kills >= 2 * JOURNALS[right].length - 4, `${kills} kills`);
  assert.deepEqual([...seen].filter((phase) => !PHASES[right].includes(phase)), []);
  assert.deepEqual(
    PHASES[right].filter((phase) => !seen.has(phase)),
    [],
    "a replica was killed in each state",
  );
  await run(fixture); // nothing is left to do
  await assertCompletedOnce(fixture, request, right);
}

const PHASES = {
  ERASURE: [
    "PENDING.grace",
    "IN_PROGRESS.awaiting_confirmations",
    "IN_PROGRESS.verifying",
    "COMPLETED",
  ],
  ACCESS: ["PENDING.recorded", "IN_PROGRESS.collecting", "IN_PROGRESS.compiling", "COMPLETED.available"],
};

export interface CrashFixture extends AsyncDisposable {
  world: World;
  now: number;
  options: Omit<ReplicaOptions, "now" | "kill">;
}

export async function createCrashFixture(): Promise<CrashFixture> {
  const world = await createWorld();
  const callLog = await Deno.makeTempFile({ prefix: "customer-service-calls-" });
  return {
    world,
    now: Date.now() + 1_000,
    options: { url: world.database.url, participants: PARTICIPANTS, callLog, keys: await createJwks() },
    async [Symbol.asyncDispose]() {
      await Deno.remove(callLog);
      await world[Symbol.asyncDispose]();
    },
  };
}

async function createJwks(): Promise<ReplicaOptions["keys"]> {
  const make = crypto.subtle.generateKey.bind(crypto.subtle);
  const aes = await make({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  const pair = await make("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const toJwk = (key: CryptoKey) => crypto.subtle.exportKey("jwk", key);
  const exportKey = await toJwk(aes);
  const [privateKey, publicKey] = [await toJwk(pair.privateKey), await toJwk(pair.publicKey)];
  // importKey sets the usages itself and refuses a JWK with others.
  for (const key of [exportKey, privateKey, publicKey]) delete key.key_ops;
  const hashSecret = crypto.getRandomValues(new Uint8Array(32)).toHex();
  return { exportKey, hashSecret, private: privateKey, public: publicKey };
}

export async function openRequest(fixture: CrashFixture, right: string): Promise<ActorRef> {
  const { world } = fixture;
  const customer = await register(world, { firstName: "Ada", phone: "+41791234567" });
  await tell(world, customer, "address.add", ADDRESS);
  return await openFor(fixture, customer.id, right);
}

export async function openFor(
  { world, options }: CrashFixture,
  customerId: string,
  right: string,
): Promise<ActorRef> {
  const requests = await requestSettings({ participants: options.participants });
  const actors = createActors(world.database.pool("customer_api", 1), { requests });
  const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell({ ...world, actors }, ref, "open", { customerId, right });
  return ref;
}

/** Runs a replica some time after the previous one. */
export async function run(fixture: CrashFixture, kill?: ReplicaOptions["kill"]): Promise<"killed" | "ended"> {
  fixture.now += BETWEEN_MS;
  const options: ReplicaOptions = { ...fixture.options, now: fixture.now, ...(kill && { kill }) };
  const { signal, success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, JSON.stringify(options)],
  }).output();
  if (signal === "SIGKILL") return "killed";
  assert.ok(success, new TextDecoder().decode(stderr));
  return "ended";
}

export async function readPhase({ world }: CrashFixture, { id }: ActorRef): Promise<string> {
  const [row] = await world.admin`select snapshot from gdpr_requests where request_id = ${id}`;
  return phaseOf(row?.snapshot.value);
}

/** The committed results, without claims and unfinished documents. */
export async function contents({ world }: CrashFixture): Promise<Record<string, unknown>> {
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

export async function assertCompletedOnce(
  { world, options }: CrashFixture,
  request: ActorRef,
  right: keyof typeof JOURNALS,
): Promise<void> {
  await assertInvariants(world.admin, request);
  const [row] = await world.admin`select outcome from gdpr_requests where request_id = ${request.id}`;
  assert.equal(row?.outcome, "FULFILLED");
  const journal = await world.admin`
    select event_type from actor_events
    where actor_id = ${request.id} and event_type <> 'participant.asked_again' order by sequence`;
  assert.deepEqual(journal.map((row) => row.eventType), JOURNALS[right], "each outcome is recorded once");
  const callLog = await Deno.readTextFile(options.callLog);
  const verb = right === "ERASURE" ? "erases" : "collects";
  for (const service of PARTICIPANTS) assert.ok(callLog.includes(`${service} ${verb}\n`), service);
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
