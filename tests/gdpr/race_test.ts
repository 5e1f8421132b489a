/** What meets at one instant: each order of two that want the same rows, and replicas that work side by side. */
import assert from "node:assert/strict";
import { createActors } from "../../actors/mod.ts";
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import { verifyErasure } from "../../actors/gdpr/verify.ts";
import type { Peers } from "../../actors/gdpr/vocabulary.ts";
import type { ActorRef } from "../../actors/protocol.ts";
import { startWorker } from "../../actors/worker.ts";
import type { ClaimedEffect } from "../../db/effects.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { ADDRESS, createGroup, register, shopper, tell } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { type ClockedWorld, createClockedWorld, DAY, fireTimer } from "./clocked.ts";
import { assertFacts, phaseOf } from "./facts.ts";
import { createKeys } from "./keys.ts";
import { inOrder, untilWaiting } from "./queue.ts";
import { timerOf } from "./told.ts";

const START = timerOf("start", "gdpr_erasure@1");
const START_COLLECTING = timerOf("start", "gdpr_access@1");
const REFUSED = "REFUSED_IN_STATE";

type Act = () => Promise<unknown>;

Deno.test("a cancel that meets the end of the grace period: cancelled with the data intact, or erased", async (t) => {
  await using world = await createClockedWorld({ graceMs: DAY });
  for (const cancelFirst of [true, false]) {
    await t.step(cancelFirst ? "the cancel was first" : "the end was first", async () => {
      const { customer, request } = await openErasure(world);
      const cancel = () => tell(world, request, "cancel", {}, { by: shopper(customer) });
      const acts: Act[] = [cancel, () => fireTimer(world, request, START)];
      const [cancelled, ended] = await meet(world, request, acts, cancelFirst);
      assert.equal(codeOf(cancelled), cancelFirst ? undefined : REFUSED);
      assert.equal(ended?.status === "fulfilled" && ended.value, !cancelFirst);
      assert.equal(await phase(world, request), cancelFirst ? "COMPLETED" : AWAITING);
      await assertFacts(world.admin, request);
    });
  }
});

Deno.test("a hold that meets the end of the grace period stops it, or comes too late and is refused", async (t) => {
  await using world = await createClockedWorld({ graceMs: DAY });
  for (const holdFirst of [true, false]) {
    await t.step(holdFirst ? "the hold was first" : "the end was first", async () => {
      const { request } = await openErasure(world);
      const hold = () => tell(world, request, "hold", { reason: "a court has asked" });
      const acts: Act[] = [hold, () => fireTimer(world, request, START)];
      const [held] = await meet(world, request, acts, holdFirst);
      assert.equal(codeOf(held), holdFirst ? undefined : REFUSED);
      assert.equal(await phase(world, request), holdFirst ? "PENDING.held" : AWAITING);
      await assertFacts(world.admin, request);
    });
  }
});

Deno.test("a hold that outlasts the grace period keeps the data; its release erases them at once", async () => {
  await using world = await createClockedWorld({ graceMs: DAY });
  const { request } = await openErasure(world);
  await tell(world, request, "hold", { reason: "a court has asked" });
  world.now = new Date(world.now.getTime() + 20 * DAY);
  assert.equal(await fireTimer(world, request, START), false, "there is nothing to fire");
  await tell(world, request, "release");
  await assertFacts(world.admin, request);
  const [timer] = await world
    .admin`select due_at from timers where actor_id = ${request.id} and name = ${START}`;
  assert.deepEqual(timer?.dueAt, world.now);
  assert.ok(await fireTimer(world, request, START));
  assert.equal(await phase(world, request), AWAITING);
  await assert.rejects(tell(world, request, "hold", { reason: "too late" }), { code: REFUSED });
  await assertFacts(world.admin, request);
});

Deno.test("a customer's update that meets the erasure is before it or refused, and leaves no value", async (t) => {
  await using world = await createClockedWorld({ graceMs: 0 });
  const group = await createGroup(world);
  const updates: [type: string, fields: Record<string, unknown>][] = [
    ["profile.update", { email: "late.arrival@example.com", firstName: "Late-Arrival" }],
    ["address.add", { ...ADDRESS, line1: "Late-Arrival 12" }],
    ["group.assign", { groupId: group.id }],
  ];
  for (const [type, fields] of updates) {
    for (const updateFirst of [true, false]) {
      await t.step(`${type} ${updateFirst ? "before" : "behind"} the erasure`, async () => {
        const { customer, request } = await openErasure(world);
        const update = () => tell(world, customer, type, fields, { idempotencyKey: crypto.randomUUID() });
        const acts: Act[] = [update, () => fireTimer(world, request, START)];
        const [updated] = await meet(world, customer, acts, updateFirst);
        assert.equal(codeOf(updated), updateFirst ? undefined : REFUSED);
        assert.equal(await phase(world, request), AWAITING);
        await assertFacts(world.admin, request);
        assert.deepEqual(await tablesWith(world, "Late-Arrival"), []);
        assert.deepEqual(await tablesWith(world, "late.arrival"), []);
        const memberships = await world.admin`
          select 1 from customer_group_memberships where customer_id = ${customer.id}`;
        assert.equal(memberships.length, 0);
        const [row] = await world.admin`select cleared from gdpr_requests where request_id = ${request.id}`;
        assert.deepEqual(row?.cleared.traces, []);
      });
    }
  }
});

Deno.test("two who open a request at once get the same one, and one customer.erasure_requested", async () => {
  await using world = await createClockedWorld({ graceMs: 0 });
  const customer = await register(world);
  const open = () => openRequest(world, customer, "ERASURE");
  const [one, other] = await inOrder(world.admin, lockOf(customer), open, open);
  assert.ok(one?.status === "fulfilled" && other?.status === "fulfilled");
  assert.deepEqual(one.value, other.value);
  const request = one.value as ActorRef;
  await fireTimer(world, request, START);
  await assertFacts(world.admin, request);
  const told = await world.admin`select 1 from outbox where topic = 'customer.erasure_requested'`;
  assert.equal(told.length, 1);
});

Deno.test("an access request that meets the erasure is answered before it, or refused", async (t) => {
  await using world = await createClockedWorld({ graceMs: 0 });
  for (const accessFirst of [true, false]) {
    await t.step(accessFirst ? "the access request was first" : "the erasure was first", async () => {
      const { customer, request } = await openErasure(world);
      const open = () => openRequest(world, customer, "ACCESS");
      const acts: Act[] = [open, () => fireTimer(world, request, START)];
      const [opened] = await meet(world, customer, acts, accessFirst);
      assert.equal(codeOf(opened), accessFirst ? undefined : REFUSED);
      assert.equal(await phase(world, request), accessFirst ? WAITING : AWAITING);
      await assertFacts(world.admin, request);
    });
  }
});

/** How an access request ends, told one after the other. */
const ENDINGS: Record<string, [type: string, fields: Record<string, unknown>][]> = {
  completed: [
    ...["customer-service", ...PARTICIPANTS].map((service) =>
      ["source.received", { service }] as [string, Record<string, unknown>]
    ),
    ["compiled", {}],
  ],
  cancelled: [["cancel", {}]],
  refused: [["refuse", { reason: "it is manifestly unfounded" }]],
};

for (const [ending, words] of Object.entries(ENDINGS)) {
  Deno.test(`an erasure waits for an access request, and goes on when that is ${ending}`, async (t) => {
    await using world = await createClockedWorld({ graceMs: 0 });
    const last = words.at(-1)!;

    async function arrange() {
      const { customer, request } = await openErasure(world);
      const access = await openRequest(world, customer, "ACCESS");
      await fireTimer(world, access, START_COLLECTING);
      for (const [type, fields] of words.slice(0, -1)) await tell(world, access, type, fields);
      return { customer, request, access, end: () => tell(world, access, ...last) };
    }
    async function assertGoesOn(request: ActorRef) {
      await assertFacts(world.admin, request);
      if (await phase(world, request) === "PENDING.grace") await fireTimer(world, request, START);
      assert.equal(await phase(world, request), AWAITING);
      await assertFacts(world.admin, request);
    }

    await t.step("some time later", async () => {
      const { request, access, end } = await arrange();
      await fireTimer(world, request, START);
      assert.equal(await phase(world, request), WAITING);
      await end();
      await assertFacts(world.admin, access);
      await assertGoesOn(request);
    });
    for (const endFirst of [true, false]) {
      await t.step(
        `at the instant at which it would have begun, ${endFirst ? "before" : "behind"} it`,
        async () => {
          const { customer, request, end } = await arrange();
          await meet(world, customer, [end, () => fireTimer(world, request, START)], endFirst);
          await assertGoesOn(request);
        },
      );
    }
    for (const other of ["hold", "cancel"]) {
      await t.step(`at the instant of a ${other} of the erasure, which both take effect`, async () => {
        const { request, access, end } = await arrange();
        await fireTimer(world, request, START);
        const reason = other === "hold" ? { reason: "a court has asked" } : {};
        const ends = await meet(world, request, [() => tell(world, request, other, reason), end], true);
        assert.deepEqual(ends.map(codeOf), [undefined, undefined]);
        assert.equal(await phase(world, access), "COMPLETED");
        assert.equal(await phase(world, request), other === "hold" ? "PENDING.held" : "COMPLETED");
        await assertFacts(world.admin, request);
      });
    }
  });
}

Deno.test("an erasure that waits for two requests goes on when both end at the same instant", async () => {
  await using world = await createClockedWorld({ graceMs: 0 });
  const { customer, request } = await openErasure(world);
  const access = await openRequest(world, customer, "ACCESS");
  const portability = await openRequest(world, customer, "PORTABILITY");
  await fireTimer(world, request, START);
  await inOrder(
    world.admin,
    lockOf(customer),
    () => tell(world, access, "cancel"),
    () => tell(world, portability, "cancel"),
  );
  assert.equal(await phase(world, request), "PENDING.grace");
  await assertFacts(world.admin, request);
  assert.ok(await fireTimer(world, request, START));
  assert.equal(await phase(world, request), AWAITING);
});

Deno.test("a deadlock ends nothing: the erasure begins again and takes place", async () => {
  await using world = await createClockedWorld({ graceMs: 0 });
  const { customer, request } = await openErasure(world);
  const adversary = await world.admin.reserve();
  try {
    await adversary`begin`;
    await adversary`set local deadlock_timeout = '30s'`; // the other one is to notice, and to give way
    await lockOf(customer)(adversary);
    const beginning = fireTimer(world, request, START);
    await untilWaiting(world.admin, 1);
    await lockOf(request)(adversary);
    await adversary`commit`;
    assert.equal(await beginning, true);
  } finally {
    adversary.release();
  }
  await eventually(async () => {
    const [row] = await world.admin`
      select deadlocks::int as count from pg_stat_database where datname = current_database()`;
    assert.equal(row?.count, 1, "there was one");
  });
  assert.equal(await phase(world, request), AWAITING);
  await assertFacts(world.admin, request);
});

Deno.test("two re-scans at once complete the erasure once, and two confirmations count as one", async () => {
  await using world = await createClockedWorld({ graceMs: 0, participants: ["orders"] });
  const { request } = await openErasure(world);
  await fireTimer(world, request, START);
  const confirm = () => tell(world, request, "participant.confirm", { service: "orders" });
  const confirmed = await inOrder(world.admin, lockOf(request), confirm, confirm);
  assert.deepEqual(confirmed.map(codeOf), [undefined, REFUSED]);

  const [effect] = await world.admin<ClaimedEffect[]>`
    select *, due_at as claimed_until from effects where type = 'erasure.verify'`;
  assert.ok(effect);
  const api = world.database.pool("customer_api");
  const { signal } = new AbortController();
  const verify = () => verifyErasure(effect, { actors: world.actors, sql: api, signal });
  const verified = await inOrder(world.admin, lockOf(request), verify, verify);
  assert.deepEqual(verified.map((end) => end.status === "fulfilled" && end.value), ["done", "done"]);
  assert.equal(await phase(world, request), "COMPLETED");
  await assertFacts(world.admin, request);
});

Deno.test("two replicas that work the same requests complete each once", async () => {
  await using world = await createClockedWorld({ graceMs: 0 });
  const start = world.now;
  world.now = new Date(start.getTime() + 1_000);
  const keys = await createKeys();
  const asked: string[] = [];
  const peers: Peers = {
    async *collect(service, { requestId }) {
      asked.push(`${service} ${requestId}`);
      yield* [];
    },
  };
  const customers = await Promise.all(Array.from({ length: 12 }, () => register(world)));
  const requests = await Promise.all(
    customers.map((customer, at) => openRequest(world, customer, at < 8 ? "ERASURE" : "ACCESS")),
  );
  const both = [0, 1].map(() => {
    const api = world.database.pool("customer_api");
    const actors = createActors(api, { requests: world.settings, clock: world.clock });
    const performers = {
      ...createRequestPerformers(api, peers, keys),
      "memberships.end": () => Promise.reject(new Error("there is no group")),
    };
    const sql = world.database.pool("customer_worker");
    return { actors, worker: startWorker({ sql, api, actors, performers, clock: world.clock, pollMs: 20 }) };
  });
  try {
    const erasures = requests.slice(0, 8);
    await eventually(async () => {
      for (const request of erasures) assert.equal(await phase(world, request), AWAITING);
    });
    // Each participant tells both replicas, as one does that has had no answer.
    const told = erasures.flatMap((request) =>
      PARTICIPANTS.flatMap((service) =>
        both.map(({ actors }) =>
          actors.send(request, { type: "participant.confirm", service }, {
            by: world.system,
            traceId: "0".repeat(32),
          })
        )
      )
    );
    const answers = await Promise.allSettled(told);
    assert.equal(answers.filter((answer) => answer.status === "fulfilled").length, 8 * 3);
    assert.ok(answers.every((answer) => [undefined, REFUSED].includes(codeOf(answer))));
    await eventually(async () => {
      for (const request of requests) assert.equal(await phase(world, request), "COMPLETED");
    });
  } finally {
    await Promise.all(both.map(({ worker }) => worker[Symbol.asyncDispose]()));
  }
  for (const request of requests) await assertFacts(world.admin, request);
  assert.equal(asked.length, new Set(asked).size, "no source was asked twice");
  const receipts = await world.admin`select sequence from erasure_receipts order by sequence`;
  assert.deepEqual(receipts.map((row) => row.sequence), [1, 2, 3, 4, 5, 6, 7, 8]);
  const poisoned = await world.admin`select type, last_error from effects where state <> 'DONE'`;
  assert.deepEqual([...poisoned], []);
});

const WAITING = "PENDING.waiting_for_access";
const AWAITING = "IN_PROGRESS.awaiting_confirmations";

async function openErasure(world: ClockedWorld) {
  const customer = await register(world, { firstName: "Ada", phone: "+41791234567" });
  await tell(world, customer, "address.add", ADDRESS);
  return { customer, request: await openRequest(world, customer, "ERASURE") };
}

async function openRequest(world: ClockedWorld, customer: ActorRef, right: string): Promise<ActorRef> {
  const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  const { id } = await tell(world, ref, "open", { customerId: customer.id, right });
  return { ...ref, id };
}

/** Both acts meet at an actor's row, in the order given or the other way round; their ends in the order given. */
async function meet(world: ClockedWorld, at: ActorRef, [one, other]: Act[], oneFirst: boolean) {
  const acts = [one!, other!];
  const ends = await inOrder(world.admin, lockOf(at), ...(oneFirst ? acts : acts.toReversed()));
  return oneFirst ? ends : ends.toReversed();
}

const lockOf = ({ kind, id }: ActorRef) => (sql: ClockedWorld["admin"]): Promise<unknown> =>
  kind === "customer"
    ? sql`select 1 from customers where customer_id = ${id} for update`
    : sql`select 1 from gdpr_requests where request_id = ${id} for update`;

async function phase({ admin }: ClockedWorld, { id }: ActorRef): Promise<string> {
  const [row] = await admin`select snapshot from gdpr_requests where request_id = ${id}`;
  return phaseOf(row?.snapshot.value);
}

function codeOf(end: PromiseSettledResult<unknown> | undefined): string | undefined {
  return end?.status === "rejected" ? end.reason.code ?? String(end.reason) : undefined;
}

/** The tables in which a text stands anywhere. */
async function tablesWith({ admin }: ClockedWorld, text: string): Promise<string[]> {
  const tables = await admin`
    select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`;
  const found = await Promise.all(tables.map(async ({ relname }) => {
    const rows = await admin`select 1 from ${admin(relname)} t where position(${text} in t::text) > 0`;
    return rows.length > 0 ? [relname] : [];
  }));
  return found.flat();
}
