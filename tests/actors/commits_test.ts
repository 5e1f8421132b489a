/** Commands that are stored together: none is lost or doubled, and no command keeps another one from being stored. */
import assert from "node:assert/strict";
import { createActors } from "../../actors/mod.ts";
import { createActorReads } from "../../db/actor_reads.ts";
import { createCommits } from "../../db/commits.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { requestSettings } from "./settings.ts";
import {
  createGroup,
  createWorld,
  customerRef,
  mapConcurrently,
  register,
  tell,
  type World,
} from "./world.ts";

/** A second replica: actors with a pool and turns of their own. */
async function replicaOf(world: World): Promise<World> {
  const actors = createActors(world.database.pool("customer_api", 8), { requests: await requestSettings() });
  return { ...world, actors };
}

Deno.test("64 concurrent commands on one customer over two replicas are each applied once, without a gap", async () => {
  await using world = await createWorld();
  const replicas = [world, await replicaOf(world)];
  const ref = await register(world);
  const name = (writer: number) => `Name ${writer}`;
  const sent = Array.from({ length: 64 }, async (_, writer) => {
    const to = replicas[writer % 2]!;
    return await tell(to, ref, "profile.update", { firstName: name(writer) });
  });
  const answers = await Promise.all(sent);
  const expected = Array.from({ length: 64 }, (_, index) => index + 2);
  assert.deepEqual(answers.map(({ version }) => version).sort((one, other) => one - other), expected);

  const [row] = await world.admin`select first_name, version from customers where customer_id = ${ref.id}`;
  const last = answers.findIndex(({ version }) => version === 65);
  assert.deepEqual({ ...row }, { firstName: name(last), version: 65 });
  const journal = await world.admin`
    select sequence, at from actor_events where actor_id = ${ref.id} order by sequence`;
  assert.deepEqual(journal.map(({ sequence }) => sequence), [1, ...expected]);
  const times = journal.map(({ at }) => at.getTime());
  assert.deepEqual(times, times.toSorted((one, other) => one - other), "the journal is dated in its order");
  const messages = await world.admin`
    select payload ->> 'version' as version from outbox
    where key = ${ref.id} and topic = 'customer.updated' order by seq`;
  assert.deepEqual(messages.map(({ version }) => Number(version)), expected, "events are in their order");
});

Deno.test("commands of one tick share transactions, and a refused one does not keep the others from being stored", async () => {
  await using world = await createWorld();
  const { admin } = world;
  const email = "taken@example.com";
  await register(world, { email });
  const group = await createGroup(world);
  const [locked, ...others] = await mapConcurrently(Array.from({ length: 21 }), () => register(world));
  const refused: [send: () => Promise<unknown>, code: string][] = [
    [() => tell(world, customerRef(world), "register", { email }), "ALREADY_EXISTS"],
    [() => tell(world, others[0]!, "register", { email: "own@example.com" }), "ALREADY_EXISTS"],
    [() => tell(world, others[1]!, "profile.update", { email }), "ALREADY_EXISTS"],
    [() => tell(world, others[2]!, "profile.update", { lastName: "X" }, { expectedVersion: 9 }), "CONFLICT"],
    [() => tell(world, customerRef(world), "profile.update", { lastName: "X" }), "NOT_FOUND"],
    [() => tell(world, others[3]!, "group.assign", { groupId: crypto.randomUUID() }), "NOT_FOUND"],
  ];
  const { waiting } = await admin.begin(async (tx) => {
    await tx`select from customers where customer_id = ${locked!.id} for update`;
    const waiting = tell(world, locked!, "profile.update", { firstName: "Late" });
    const stored = others.map((ref, at) =>
      at % 2 === 0
        ? tell(world, ref, "profile.update", { firstName: "Ada" })
        : tell(world, ref, "group.assign", { groupId: group.id })
    );
    const outcomes = await Promise.allSettled(refused.map(([send]) => send()));
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason.code),
      refused.map(([, code]) => code),
    );
    await Promise.all(stored); // while the row is locked that another command of the tick changes
    return { waiting };
  });
  assert.equal((await waiting).version, 2);
  const ids = others.map(({ id }) => id);
  const [row] = await admin`
    select count(*)::int as events, count(distinct xmin::text)::int as transactions from actor_events
    where actor_id = any(${ids}::uuid[]) and event_type in ('profile.update', 'group.assign')`;
  assert.equal(row?.events, 20);
  assert.ok(row?.transactions <= 12, `${row?.transactions} transactions of 20 commands`);
});

Deno.test("an answer shows the customer as its own command has left it", async () => {
  await using world = await createWorld();
  const ref = await register(world);
  const replicas = [world, await replicaOf(world)];
  const context = {
    by: world.system,
    traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  };
  const names = Array.from({ length: 24 }, (_, at) => `Name ${at}`);
  const changed = await Promise.all(names.map((firstName, at) => {
    const { actors } = replicas[at % 2]!;
    return actors.sendAndRead(
      { ...ref, kind: "customer" },
      { type: "profile.update", firstName },
      context,
    );
  }));
  assert.deepEqual(changed.map(({ actor }) => actor?.firstName), names);
  assert.deepEqual(changed.map(({ actor }) => actor?.version), changed.map(({ answer }) => answer.version));

  const keyed = { ...context, idempotencyKey: "once" };
  const command = { type: "profile.update", firstName: "Keyed" } as const;
  const first = await world.actors.sendAndRead({ ...ref, kind: "customer" }, command, keyed);
  const again = await world.actors.sendAndRead({ ...ref, kind: "customer" }, command, keyed);
  assert.equal(first.actor?.firstName, "Keyed");
  assert.deepEqual(again, { answer: first.answer, actor: undefined });
  const unchanged = await world.actors.sendAndRead({ ...ref, kind: "customer" }, command, context);
  assert.deepEqual(unchanged, { answer: { ...first.answer, changed: false }, actor: first.actor });
});

Deno.test("the functions of commands reach one store, and only customer_api may call them", async () => {
  await using world = await createWorld();
  const { database, storeId } = world;
  const ref = await register(world, { firstName: "Ada" });
  const api = database.pool("customer_api", 1);
  const change = (at: ActorRef) => ({
    storeId: at.storeId,
    row: {
      table: "customers" as const,
      id: at.id,
      values: { firstName: "Eve", version: 2, updatedAt: new Date() },
      seen: { version: 1, partVersion: 1 },
    },
  });
  const elsewhere = { ...ref, storeId: crypto.randomUUID() };
  assert.deepEqual(await createCommits(api)(change(elsewhere)), { type: "locked" });
  assert.equal((await createActorReads(api)({ ...elsewhere, whole: true })).row, undefined);
  assert.equal((await createActorReads(api)(ref)).row?.firstName, "Ada");
  const [left] = await api`select current_setting('app.store_id', true) as store`;
  assert.equal(left?.store ?? "", "", "the session keeps no store");
  for (const role of ["customer_reader", "customer_worker"] as const) {
    const pool = database.pool(role, 1);
    await assert.rejects(createCommits(pool)(change(ref)), { code: "42501" });
    await assert.rejects(createActorReads(pool)(ref), { code: "42501" });
  }
  const [row] = await world.admin`select store_id, first_name from customers where customer_id = ${ref.id}`;
  assert.deepEqual({ ...row }, { storeId, firstName: "Ada" });
});

Deno.test("a commit stores every column of the rows that it writes", async () => {
  await using world = await createWorld();
  const columns = await world.admin<{ table: string; column: string }[]>`
    select table_name as "table", column_name as "column" from information_schema.columns
    where table_schema = 'public' and is_generated = 'NEVER' and is_identity = 'NO' and column_name <> 'store_id'
      and table_name in ('customers', 'customer_addresses', 'shopper_groups', 'customer_group_memberships',
        'actor_events', 'outbox', 'effects', 'timers', 'idempotency_keys', 'email_hashes')`;
  const [source] = await world.admin<{ text: string }[]>`
    select prosrc as text from pg_proc where proname = 'store_commits'`;
  /** Columns that the worker writes, and those of steps that need a transaction of their own. */
  const ofOthers =
    /^(effects (state|attempts|last_error|finished_at)|timers (attempts|last_error)|outbox published_at|customers (holds|closed_at|retention_announced_at))$/;
  const missing = columns.filter(({ table, column }) => {
    const statements = source!.text.split(";").filter((statement) =>
      new RegExp(`(insert into|update) ${table}\\b`).test(statement)
    );
    assert.ok(statements.length > 0, table);
    return !statements.some((statement) => new RegExp(`\\b${column}\\b`).test(statement));
  }).map(({ table, column }) => `${table} ${column}`).filter((name) => !ofOthers.test(name));
  assert.deepEqual(missing, []);
});
