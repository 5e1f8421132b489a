/** Customer machine: every command by every principal in every state, against a table and on rows. */
import assert from "node:assert/strict";
import { transition } from "xstate";
import { getShortestPaths, getSimplePaths } from "xstate/graph";
import {
  ADDRESS_LIMIT,
  type CustomerCommandEvent,
  customerMachine,
  GROUP_LIMIT,
  HOLD_LIMIT,
} from "../../actors/customers/customer_machine.ts";

import type { ActorRef } from "../../actors/commands.ts";
import { ADDRESS, createGroup, createWorld, register, shopper, tell, type World } from "./world.ts";

type By = CustomerCommandEvent["by"];
/** Commands; the end of a hold by its time is the event of a timer. */
type Type = Exclude<CustomerCommandEvent["type"], "hold.expire">;

const HOLDS = { "hold.place": { STAFF: "", SYSTEM: "" }, "hold.lift": { STAFF: "", SYSTEM: "" } };
/** Next state of each accepted command by state and principal; "" for no change of state. */
const TABLE: Record<string, Partial<Record<Type, Partial<Record<By, string>>>>> = {
  active: {
    "profile.update": { CUSTOMER: "", STAFF: "", SYSTEM: "" },
    "address.add": { CUSTOMER: "", STAFF: "", SYSTEM: "" },
    "address.update": { CUSTOMER: "", STAFF: "", SYSTEM: "" },
    "address.delete": { CUSTOMER: "", STAFF: "", SYSTEM: "" },
    "group.assign": { STAFF: "", SYSTEM: "" },
    "group.remove": { STAFF: "", SYSTEM: "" },
    "account.suspend": { STAFF: "suspended", SYSTEM: "suspended" },
    "account.close": { STAFF: "closed", SYSTEM: "closed" },
    "erase": { SYSTEM: "anonymized" },
    ...HOLDS,
  },
  suspended: {
    "profile.update": { STAFF: "", SYSTEM: "" },
    "address.update": { STAFF: "", SYSTEM: "" },
    "address.delete": { STAFF: "", SYSTEM: "" },
    "group.assign": { STAFF: "", SYSTEM: "" },
    "group.remove": { STAFF: "", SYSTEM: "" },
    "account.reinstate": { STAFF: "active", SYSTEM: "active" },
    "account.close": { STAFF: "closed", SYSTEM: "closed" },
    "erase": { SYSTEM: "anonymized" },
    ...HOLDS,
  },
  closed: {
    "profile.update": { STAFF: "", SYSTEM: "" },
    "address.update": { STAFF: "", SYSTEM: "" },
    "address.delete": { STAFF: "", SYSTEM: "" },
    "group.remove": { STAFF: "", SYSTEM: "" },
    "account.reinstate": { STAFF: "active", SYSTEM: "active" },
    "erase": { SYSTEM: "anonymized" },
    ...HOLDS,
  },
  anonymized: {},
};
const REMOVED = "customer.group_removed";
const TYPES = Object.keys(TABLE.active ?? {}).concat("account.reinstate") as Type[];
/** Published messages of each command: the domain event with its changed fields, and the audit action. */
const MESSAGES: Record<Type, { topic?: string; fields?: string[]; action: string }> = {
  "profile.update": { topic: "customer.updated", fields: ["firstName"], action: "CUSTOMER_UPDATED" },
  "address.add": { topic: "customer.updated", fields: ["addresses"], action: "ADDRESS_ADDED" },
  "address.update": { topic: "customer.updated", fields: ["addresses"], action: "ADDRESS_UPDATED" },
  "address.delete": { topic: "customer.updated", fields: ["addresses"], action: "ADDRESS_DELETED" },
  "group.assign": { topic: "customer.group_assigned", action: "CUSTOMER_GROUP_ASSIGNED" },
  "group.remove": { topic: "customer.group_removed", action: "CUSTOMER_GROUP_REMOVED" },
  "account.suspend": { topic: "customer.updated", fields: ["status"], action: "CUSTOMER_SUSPENDED" },
  "account.reinstate": { topic: "customer.updated", fields: ["status"], action: "CUSTOMER_REINSTATED" },
  "account.close": { topic: "customer.updated", fields: ["status"], action: "CUSTOMER_CLOSED" },
  "erase": { action: "CUSTOMER_ERASED" },
  "hold.place": { action: "CUSTOMER_HOLD_PLACED" },
  "hold.lift": { action: "CUSTOMER_HOLD_LIFTED" },
};
/** Commands that a principal may not send in any state. */
const FORBIDDEN: Record<By, readonly Type[]> = {
  CUSTOMER: [
    "group.assign",
    "group.remove",
    "account.suspend",
    "account.reinstate",
    "account.close",
    "erase",
    "hold.place",
    "hold.lift",
  ],
  STAFF: ["erase"],
  SYSTEM: [],
};
const STATUS: Record<string, string> = {
  active: "ACTIVE",
  suspended: "SUSPENDED",
  closed: "CLOSED",
  anonymized: "CLOSED",
};

const events = TYPES.flatMap((type) =>
  (["CUSTOMER", "STAFF", "SYSTEM"] as const).map((by) =>
    ({ type, by, changedFields: [], groupId: "g" }) as CustomerCommandEvent & { type: Type }
  )
);
const serializeState = ({ value }: { value: unknown }) => String(value);
const paths = getShortestPaths(customerMachine, { events, serializeState });

Deno.test("the customer machine has exactly the states of the table, and each is reachable", () => {
  assert.deepEqual(paths.map((path) => String(path.state.value)).sort(), Object.keys(TABLE).sort());
});

for (const path of paths) {
  const state = String(path.state.value);
  const steps = path.steps.map((step) => step.event as { type: Type }).filter((event) =>
    !event.type.startsWith("xstate.")
  );
  const commands = steps.map((event) => event.type);

  Deno.test(`a customer that is ${state} accepts the commands in the table and refuses all others`, async (t) => {
    await using world = await createWorld();
    for (const { type, by } of events) {
      const expected = TABLE[state]?.[type]?.[by];
      const forbidden = FORBIDDEN[by].includes(type);
      await t.step(
        `${type} by ${by}: ${forbidden ? "FORBIDDEN" : expected ?? "REFUSED_IN_STATE"}`,
        async () => {
          const { ref, fields: sentFields } = await arrange(world, commands, type);
          const before = await rows(world, ref);
          const groups = await groupsOf(world, ref);
          const staff = type.startsWith("hold.") ? world.officer : world.staff;
          const principal = { CUSTOMER: shopper(ref), STAFF: staff, SYSTEM: world.system }[by];
          const sending = tell(world, ref, type, sentFields, { by: principal });
          if (forbidden || expected === undefined) {
            await assert.rejects(sending, { code: forbidden ? "FORBIDDEN" : "REFUSED_IN_STATE" });
            assert.deepEqual(await rows(world, ref), before, "nothing was written");
            return;
          }
          const answer = await sending;
          assert.equal(answer.state, expected || state);
          const ofMemberships = type.startsWith("group.");
          const after = await rows(world, ref);
          assert.equal(answer.version, ofMemberships ? after.membershipVersion : after.version);
          assert.deepEqual(
            [
              after.status,
              after.anonymized,
              after.version,
              after.membershipVersion,
              after.journal,
              after.last,
            ],
            [
              STATUS[answer.state],
              answer.state === "anonymized",
              before.version + (ofMemberships ? 0 : 1),
              before.membershipVersion + (ofMemberships ? 1 : 0),
              before.journal + 1,
              type,
            ],
          );
          const { topic, fields, action } = MESSAGES[type];
          const removed = type === "erase" ? groups.map((groupId) => ({ topic: REMOVED, groupId })) : [];
          const { version, membershipVersion } = after;
          const versions = topic?.startsWith("customer.group") || type === "erase"
            ? { version, membershipVersion }
            : { version };
          const status = fields?.includes("status") ? { status: after.status } : {};
          const audit = {
            topic: "audit.event",
            action,
            actor: {
              id: principal.id,
              type: by,
              ...(principal.roles.length > 0 ? { roles: [...principal.roles] } : {}),
              ...(principal.service ? { service: principal.service } : {}),
            },
            target: { id: ref.id, type: "customer" },
            before: { state, version: before.version },
            after: { state: answer.state, version: after.version },
          };
          assert.deepEqual(await outbox(world, ref, before.outbox), [
            ...removed.map((event) => ({ ...event, ...versions })),
            ...(topic
              ? [{
                topic,
                ...versions,
                ...(fields ? { fields } : {}),
                ...status,
                ...groupOf(sentFields),
              }]
              : []),
            audit,
          ]);
        },
      );
    }
  });
}

Deno.test("a customer can take every simple path through the machine", async () => {
  await using world = await createWorld();
  const bySystem = events.filter(({ by }) => by === "SYSTEM");
  const simplePaths = getSimplePaths(customerMachine, { events: bySystem, serializeState });
  assert.ok(simplePaths.length > paths.length);
  for (const { steps, state } of simplePaths) {
    const commands = steps.map(({ event }) => event.type).filter((type) => !type.startsWith("xstate."));
    const ref = await register(world);
    for (const type of commands) {
      const fields = type === "erase" ? { requestId: crypto.randomUUID() } : {};
      await tell(world, ref, type, fields);
    }
    const row = await rows(world, ref);
    const expected = [STATUS[String(state.value)], state.value === "anonymized", commands.length + 1];
    assert.deepEqual([row.status, row.anonymized, row.version], expected, commands.join(", "));
  }
});

Deno.test("addresses, groups and holds of a customer have limits, and a deletion makes room", () => {
  const by = "STAFF";
  const limits = [
    {
      add: { type: "address.add", by },
      remove: { type: "address.delete", by },
      context: { addresses: ADDRESS_LIMIT, groups: 0, holds: 0 },
    },
    {
      add: { type: "group.assign", by, groupId: "g" },
      remove: { type: "group.remove", by, groupId: "g" },
      context: { addresses: 0, groups: GROUP_LIMIT, holds: 0 },
    },
    {
      add: { type: "hold.place", by, holdId: "h" },
      remove: { type: "hold.lift", by, holdId: "h" },
      context: { addresses: 0, groups: 0, holds: HOLD_LIMIT },
    },
  ] satisfies {
    add: CustomerCommandEvent;
    remove: CustomerCommandEvent;
    context: { addresses: number; groups: number; holds: number };
  }[];
  for (const { add, remove, context } of limits) {
    const full = customerMachine.resolveState({ value: "active", context });
    assert.equal(full.can(add), false);
    const [withRoom] = transition(customerMachine, full, remove);
    assert.equal(withRoom.can(add), true);
  }
});

/** Creates a customer, sends the commands, and returns fields with which the next command changes something. */
async function arrange(
  world: World,
  commands: Type[],
  type: Type,
): Promise<{ ref: ActorRef; fields: Record<string, string> }> {
  const ref = await register(world);
  const { ids } = await tell(world, ref, "address.add", ADDRESS);
  const [current, other] = [await createGroup(world), await createGroup(world)];
  await tell(world, ref, "group.assign", { groupId: current.id });
  const fields: Partial<Record<Type, Record<string, string>>> = {
    "profile.update": { firstName: "Ada" },
    "address.add": ADDRESS,
    "address.update": { addressId: ids.addressId ?? "", city: "Bern" },
    "address.delete": { addressId: ids.addressId ?? "" },
    "group.assign": { groupId: other.id },
    "group.remove": { groupId: current.id },
    "erase": { requestId: crypto.randomUUID() },
    "hold.place": { ground: "LEGAL_CLAIM" },
    "hold.lift": { holdId: crypto.randomUUID() },
  };
  for (const step of commands) await tell(world, ref, step, fields[step]);
  if (type === "hold.lift" && !commands.includes("erase")) {
    const { ids } = await tell(world, ref, "hold.place", { ground: "LEGAL_CLAIM" });
    fields[type] = { holdId: ids.holdId ?? "" };
  }
  return { ref, fields: fields[type] ?? {} };
}

/** Additional field of a group's events. */
function groupOf({ groupId }: Record<string, string>) {
  return groupId ? { groupId } : {};
}

/** Reads the customer's messages after the first rows, in order, with the fields that this test compares. */
async function outbox({ admin }: World, { id }: ActorRef, first: number) {
  const events = await admin<{ topic: string; payload: Record<string, unknown> }[]>`
    select topic, payload from outbox where key = ${id} order by seq offset ${first}`;
  return events.map(({ topic, payload }) => {
    const {
      action,
      actor,
      target,
      before,
      after,
      groupId,
      changedFields,
      status,
      version,
      membershipVersion,
    } = payload;
    if (topic === "audit.event") return { topic, action, actor, target, before, after };
    return {
      topic,
      version,
      ...(changedFields ? { fields: changedFields } : {}),
      ...(status ? { status } : {}),
      ...(groupId ? { groupId, membershipVersion } : {}),
    };
  });
}

async function groupsOf({ admin }: World, { id }: ActorRef): Promise<string[]> {
  const rows = await admin<{ groupId: string }[]>`
    select group_id from customer_group_memberships where customer_id = ${id}`;
  return rows.map(({ groupId }) => groupId);
}

async function rows({ admin }: World, { id }: ActorRef) {
  const [row] = await admin`
    select status, version, membership_version, anonymized_at is not null as anonymized,
      (select count(*)::int from actor_events where actor_id = customer_id) as journal,
      (select event_type from actor_events where actor_id = customer_id order by sequence desc limit 1) as last,
      (select count(*)::int from outbox where key = customer_id::text) as outbox
    from customers where customer_id = ${id}`;
  assert.ok(row);
  return row;
}
