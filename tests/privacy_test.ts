/** Personal values are stored in their columns only, for every command. */
import assert from "node:assert/strict";
import { createCustomerBehavior } from "../actors/customers/customer_behavior.ts";
import { reviewErasure } from "../actors/gdpr/effects/review.ts";
import { endMemberships } from "../actors/customers/end_memberships.ts";
import { shopperGroupBehavior } from "../actors/customers/shopper_group_behavior.ts";
import { startWorker } from "../actors/runtime/worker.ts";
import { enterStore } from "../db/connect.ts";
import type { OutboxRow } from "../db/outbox.ts";
import { consoleSink } from "../events/console_sink.ts";
import { encodeRows, type EventSettings } from "../events/encode.ts";
import { startRelay } from "../events/relay.ts";
import { requestSettings } from "./actors/settings.ts";
import { createGroup, createWorld, register, tell, type World } from "./actors/world.ts";
import { eventually } from "./eventually.ts";
import { captureLog } from "./captured_log.ts";
import { registerShopper, startGraph } from "./graph/server.ts";

/** Words that occur nowhere else. */
const PROFILE = {
  email: "Quokka.Wombat@marsupial.example",
  firstName: "Quokka",
  lastName: "Wombat",
  phone: "+41445559876",
  locale: "rm-CH-x-bilby",
};
const OTHER_PROFILE = {
  email: "numbat.potoroo@marsupial.example",
  firstName: "Numbat",
  lastName: "Potoroo",
  phone: "+41445556789",
  locale: "rm-CH-x-quoll",
};
const ADDRESS = {
  line1: "Dunnartweg 7",
  line2: "c/o Kowari",
  city: "Bettongen",
  state: "Pademelonia",
  postalCode: "BANDICOOT",
  country: "CH",
};
const OTHER_ADDRESS = {
  line1: "Kultarrgasse 9",
  line2: "c/o Monjon",
  city: "Warabiwil",
  state: "Antechinia",
  postalCode: "PHASCOGALE",
};
const VALUES = [PROFILE, OTHER_PROFILE, ADDRESS, OTHER_ADDRESS]
  .flatMap((fields) => Object.entries(fields))
  .flatMap(([name, value]) => name === "country" ? [] : [value.toLowerCase()]);
/** Tables with personal columns. */
const PERSONAL_TABLES = ["customers", "customer_addresses"];

Deno.test("personal values of commands are in no other table, event or log line", async () => {
  await using world = await createWorld();
  await using logged = await captureLog();
  const worker = world.database.pool("customer_worker", 8);
  {
    await using sink = consoleSink();
    await using _relay = startRelay(worker, sink, { pollMs: 20 });
    await using _worker = startWorker({
      sql: worker,
      api: world.database.pool("customer_api"),
      actors: world.actors,
      performers: { "memberships.end": endMemberships, "erasure.review": reviewErasure },
      pollMs: 20,
    });
    assert.deepEqual([...await sendEveryCommand(world)].sort(), await everyCommand());
    await eventually(async () => {
      const [row] = await world.admin`
        select (select count(*)::int from outbox where published_at is null) as events,
          (select count(*)::int from effects where state <> 'DONE') as effects`;
      assert.deepEqual({ ...row }, { events: 0, effects: 0 });
    });
  }
  assert.ok(logged.lines.length > 20, "the console sink has logged the events");
  assert.ok(
    logged.lines.some((line) => /^audit\.event SHOPPER_GROUP_CREATED /.test(line)),
    "with their action",
  );
  for (const [table, text] of await everyRow(world)) {
    if (PERSONAL_TABLES.includes(table)) {
      assert.notDeepEqual(personalValuesIn(text), [], `${table} contains personal values`);
    } else assert.deepEqual(personalValuesIn(text), [], table);
  }
  for (const format of ["protobuf", "json"] satisfies EventSettings["format"][]) {
    const text = await everyEvent(world, format);
    assert.match(text, /phone/, "the text contains names of fields");
    assert.deepEqual(personalValuesIn(text), [], format);
  }
  assert.deepEqual(personalValuesIn(logged.lines.join("\n")), []);

  const remaining = await world.admin`select customer_id from customers where anonymized_at is null`;
  for (const { customerId: id } of remaining) {
    const ref = { kind: "customer", storeId: world.storeId, id } as const;
    await tell(world, ref, "erase", { requestId: crypto.randomUUID() });
  }
  for (const [table, text] of await everyRow(world)) {
    assert.deepEqual(personalValuesIn(text), [], `${table} after the erasure`);
  }
});

Deno.test("personal values of refused requests are in neither the response nor the log", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world, { email: OTHER_PROFILE.email });
  await register(graph.world, { email: PROFILE.email });
  await using logged = await captureLog();
  const requests: [query: string, variables: Record<string, unknown>][] = [
    ["mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { customer { id } } }", {
      input: { email: PROFILE.email },
    }],
    ["mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { customer { id } } }", {
      input: { email: `${PROFILE.firstName} ${PROFILE.email}`, phone: `${PROFILE.phone}x`, firstName: 7 },
    }],
    ["mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { customer { id } } }", {
      input: { phone: `${PROFILE.phone} ext`, locale: `${PROFILE.locale}-` },
    }],
    ["mutation ($input: AddAddressInput!) { addAddress(input: $input) { address { id } } }", {
      input: { ...ADDRESS, city: `${ADDRESS.city}\u0007`, postalCode: ADDRESS.postalCode.repeat(9) },
    }],
    [`mutation { updateProfile(input: { firstName: ${PROFILE.firstName} }) { customer { id } } }`, {}],
    [`mutation { updateProfile(input: { nickname: "${PROFILE.firstName}" }) { customer { id } } }`, {}],
    [`mutation { addAddress(input: "${ADDRESS.line1}") { address { id } } }`, {}],
    [`mutation { updateProfile(input: { firstName: "${PROFILE.firstName}`, {}],
  ];
  for (const [query, variables] of requests) {
    const { codes, text } = await graph.ask(query, { as, variables });
    assert.notDeepEqual(codes, [], query);
    assert.deepEqual(personalValuesIn(text), [], text);
  }
  assert.deepEqual(personalValuesIn(logged.lines.join("\n")), []);
});

/** Sends every command successfully. Returns the types of the commands. */
async function sendEveryCommand(world: World): Promise<Set<string>> {
  const sent = new Set<string>();
  const send = async (
    ...[ref, type, fields]: [Parameters<typeof tell>[1], string, Record<string, unknown>?]
  ) => {
    sent.add(type);
    return await tell(world, ref, type, fields, { idempotencyKey: `${PROFILE.email} ${ref.id} ${type}` });
  };
  const group = { kind: "shopper_group", storeId: world.storeId, id: crypto.randomUUID() } as const;
  await send(group, "group.create", { name: "Gold", priceListId: crypto.randomUUID(), priority: 1 });
  await send(group, "group.update", { name: "Silver" });
  const remaining = await createGroup(world);
  for (const erased of [true, false]) {
    const ref = { kind: "customer", storeId: world.storeId, id: crypto.randomUUID() } as const;
    await send(ref, "register", PROFILE);
    await send(ref, "profile.update", OTHER_PROFILE);
    const { ids } = await send(ref, "address.add", { ...ADDRESS, isDefaultShipping: true });
    await send(ref, "address.update", { addressId: ids.addressId, ...OTHER_ADDRESS });
    const second = await tell(world, ref, "address.add", ADDRESS);
    await send(ref, "group.assign", { groupId: group.id });
    await tell(world, ref, "group.assign", { groupId: remaining.id });
    await send(ref, "group.remove", { groupId: remaining.id });
    const hold = await send(ref, "hold.place", { ground: "LEGAL_CLAIM" });
    await send(ref, "hold.lift", { holdId: hold.ids.holdId });
    await send(ref, "account.suspend");
    await send(ref, "account.reinstate");
    await send(ref, "account.update", { status: "SUSPENDED", ...PROFILE });
    await send(ref, "account.close");
    await send(ref, "address.delete", { addressId: second.ids.addressId });
    if (!erased) await tell(world, ref, "profile.update", PROFILE);
    else await send(ref, "erase", { requestId: crypto.randomUUID() });
  }
  await send(group, "group.delete");
  return sent;
}

/** All commands of customers and groups. tests/gdpr covers those of requests. */
async function everyCommand(): Promise<string[]> {
  const behaviors = [createCustomerBehavior(await requestSettings()), shopperGroupBehavior];
  return behaviors.flatMap(({ creation, handlers }) => [creation.type, ...Object.keys(handlers)]).sort();
}

/** All rows of each table as text. */
async function everyRow({ admin }: World): Promise<Map<string, string>> {
  const tables = await admin<{ name: string }[]>`
    select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`;
  const texts = await Promise.all(tables.map(async ({ name }) => {
    const [row] = await admin`select string_agg(t::text, ' ') as text from ${admin(name)} t`;
    return [name, row?.text ?? ""] as const;
  }));
  return new Map(texts);
}

/** Encoded keys, headers and values. */
async function everyEvent({ database, storeId }: World, format: EventSettings["format"]): Promise<string> {
  const rows = await database.pool("customer_api", 1).begin(async (tx) => {
    await enterStore(tx, storeId);
    return await tx<OutboxRow[]>`select topic, key, payload, headers, event_id, store_id from outbox`;
  });
  const decoder = new TextDecoder();
  return encodeRows(rows, { format, source: "/test" }).events
    .map(({ key, headers, value }) => [key, JSON.stringify(headers), decoder.decode(value)].join(" "))
    .join("\n");
}

function personalValuesIn(text: string): string[] {
  return VALUES.filter((value) => text.toLowerCase().includes(value));
}
