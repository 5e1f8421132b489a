/** This service's own data in the documents: one record for each address, true dates, groups by name, and the journal. */
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import assert from "node:assert/strict";
import { collectOwnData } from "../../actors/gdpr/effects/own_data.ts";
import type { CollectedRecord } from "../../actors/gdpr/types.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { ADDRESS, createGroup, register, shopper, tell } from "../actors/world.ts";
import { createManualClockWorld, DAY, type ManualClockWorld } from "./manual_clock.ts";
import { createRequestFixture } from "./request_fixture.ts";

Deno.test("an address is one record with its ID, its flags and its dates", async () => {
  await using world = await createManualClockWorld();
  const customer = await register(world, { firstName: "Grace" });
  const first = await tell(world, customer, "address.add", { ...ADDRESS, isDefaultShipping: true });
  const second = await tell(world, customer, "address.add", { ...ADDRESS, line1: "Seestrasse 2" });
  const added = world.now;
  world.now = new Date(added.getTime() + DAY);
  await tell(world, customer, "address.update", { addressId: second.ids.addressId, city: "Bern" });

  const addresses = (await collect(world, customer, "PORTABILITY"))
    .filter(({ category }) => category === "address");
  const facts = addresses.map(({ data, recordedAt }) => [
    data.address_id,
    data.line1,
    data.city,
    data.is_default_shipping,
    new Date(String(data.created_at)).toISOString(),
    recordedAt,
  ]);
  const [before, after] = [added.toISOString(), world.now.toISOString()];
  assert.deepEqual(facts.toSorted((a, b) => String(a[1]).localeCompare(String(b[1]))), [
    [first.ids.addressId, ADDRESS.line1, ADDRESS.city, true, before, before],
    [second.ids.addressId, "Seestrasse 2", "Bern", false, before, after],
  ]);
});

Deno.test("a changed email is recorded when it was changed, and the other values when they were entered", async () => {
  await using world = await createManualClockWorld();
  const customer = await register(world, { firstName: "Grace", phone: "+41445551234" });
  const registered = world.now.toISOString();
  world.now = new Date(world.now.getTime() + DAY);
  await tell(world, customer, "profile.update", { email: "grace@new.example" });
  const recordedAt = (records: CollectedRecord[], field: string) =>
    records.find(({ data }) => field in data && !("event" in data))?.recordedAt;
  const records = await collect(world, customer, "PORTABILITY");
  assert.equal(recordedAt(records, "email"), world.now.toISOString());
  assert.equal(recordedAt(records, "phone"), registered);
  assert.equal(recordedAt(records, "first_name"), registered);
});

Deno.test("an access document names groups and price lists, and what was done with the requests and why", async () => {
  await using world = await createManualClockWorld({ participants: ["order-service"], graceMs: 30 * DAY });
  const fixture = createRequestFixture(world);
  const customer = await register(world, { firstName: "Grace" });
  const priceListId = crypto.randomUUID();
  const group = await createGroup(world, { name: "Gold", priceListId, priority: 3 });
  await tell(world, customer, "group.assign", { groupId: group.id });
  await tell(world, customer, "profile.update", { lastName: "Hopper" }, { by: shopper(customer) });
  const erasure = await fixture.open(customer, "ERASURE", {}, { by: shopper(customer) });
  await fixture.tell(erasure, "hold", {
    ground: "LEGAL_CLAIM",
    reason: "an unpaid invoice",
    note: "the invoice of March",
  }, {
    by: world.officer,
  });
  await tell(world, customer, "account.suspend", { reason: "unpaid", note: "chargeback" }, {
    by: world.staff,
  });
  const stranger = await register(world, { firstName: "Ada" });
  const [{ noticeId } = {}] = await world.admin`select notice_id from gdpr_notices`;
  await tell(world, { kind: "gdpr_notice", storeId: world.storeId, id: noticeId }, "waive", {
    waiver: "GIVEN_BY_PHONE",
  }, { by: world.officer });

  const records = await collect(world, customer, "ACCESS");
  const membership = records.find(({ category }) => category === "commercial");
  assert.deepEqual(
    [membership?.data.group_name, membership?.data.price_list_id, membership?.data.priority],
    ["Gold", priceListId, 3],
  );
  const events = records.filter(({ data }) => "event" in data).map(({ data }) => data);
  const find = (event: string) => events.find((data) => data.event === event);
  assert.deepEqual(find("profile.update"), {
    event: "profile.update",
    by: "you",
    changed_fields: ["last_name"],
  });
  assert.deepEqual([find("open")?.by, find("open")?.request_id], ["you", erasure.id]);
  assert.deepEqual([find("hold")?.by, find("hold")?.reason], ["staff of the store", "an unpaid invoice"]);
  const ofRequest = records.filter(({ data }) => data.request_id === erasure.id && !("event" in data));
  const [request, notice] = ofRequest.toSorted((a, b) => Number("kind" in a.data) - Number("kind" in b.data));
  const { created_at: createdAt, due_at: _, ...noticed } = notice?.data ?? {};
  assert.deepEqual(noticed, {
    request_id: erasure.id,
    kind: "RECEIVED",
    delivery: "WAIVED",
    settled_at: createdAt,
    waiver: "GIVEN_BY_PHONE",
  });
  assert.deepEqual([notice?.category, notice?.recordedAt], ["request", world.now.toISOString()]);
  assert.equal(events.filter(({ event }) => event === "open").length, 1, "one journal of each request");
  assert.deepEqual([request?.data.hold_reason, request?.data.hold_ground], [
    "an unpaid invoice",
    "LEGAL_CLAIM",
  ]);
  const text = JSON.stringify(records);
  assert.equal(find("account.suspend")?.reason, "unpaid");
  for (const note of ["the invoice of March", "chargeback"]) {
    assert.ok(!text.includes(note), "notes are for staff");
  }
  for (const id of [world.officer.id, world.system.id, stranger.id, "Ada"]) {
    assert.ok(!text.includes(id), "neither staff nor another customer is named");
  }

  const portability = await collect(world, customer, "PORTABILITY");
  assert.ok(!portability.some(({ data }) => "event" in data), "the journal is no data of the customer's own");
  const validate = await schemaOfRecords();
  for (const record of [...records, ...portability]) {
    assert.ok(validate(JSON.parse(JSON.stringify(record))), JSON.stringify(validate.errors));
  }
});

/** The portability schema's validation of one record. */
async function schemaOfRecords() {
  const schema = JSON.parse(
    await Deno.readTextFile(new URL("../../docs/portability.schema.json", import.meta.url)),
  );
  const ajv = new Ajv2020({ allErrors: true });
  addFormats.default(ajv);
  return ajv.compile({ $defs: schema.$defs, $ref: "#/$defs/record" });
}

async function collect(world: ManualClockWorld, { storeId, id }: ActorRef, type: string) {
  const api = world.database.pool("customer_api");
  const deliveries = await Array.fromAsync(
    collectOwnData(api, { storeId, customerId: id, type }, { readContact: () => Promise.resolve(undefined) }),
  );
  assert.deepEqual(deliveries.map(({ cursor }) => cursor), deliveries.map((_, at) => String(at + 1)));
  return deliveries.map(({ record }) => record);
}
