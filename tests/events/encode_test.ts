import assert from "node:assert/strict";
import { fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { encodeRows } from "../../events/encode.ts";
import { eventType, TOPICS } from "../../events/topics.ts";
import { CustomerUpdatedSchema } from "../../proto/gen/io/shopstar/customer/v1/events_pb.ts";
import { PROTOBUF } from "./kafka.ts";
import { event } from "./outbox.ts";

const STORE = crypto.randomUUID();
const CUSTOMER = crypto.randomUUID();
const JSON_FORMAT = { ...PROTOBUF, format: "json" } as const;
const updated = () => event("customer.updated", STORE, CUSTOMER, { changedFields: ["email"] });

Deno.test("an event has the same content in both formats, which content-type identifies", () => {
  const row = updated();
  const [binary] = encodeRows([row], PROTOBUF).events;
  const [text] = encodeRows([row], JSON_FORMAT).events;

  assert.equal(binary!.headers["content-type"], "application/protobuf");
  assert.equal(text!.headers["content-type"], "application/json");
  const fromText = fromJsonString(CustomerUpdatedSchema, new TextDecoder().decode(text!.value));
  assert.deepEqual(fromBinary(CustomerUpdatedSchema, binary!.value), fromText);
  assert.equal(fromText.eventId, row.eventId);
  assert.deepEqual(fromText.changedFields, ["email"]);
});

Deno.test("an event has its CloudEvents attributes as headers, with the version of the specification", () => {
  const row = updated();
  const [encoded] = encodeRows([row], PROTOBUF).events;
  assert.deepEqual(encoded!.headers, {
    ...row.headers,
    ce_specversion: "1.0",
    ce_type: "io.shopstar.customer.updated.v1",
    ce_source: "/test",
    "content-type": "application/protobuf",
  });
});

Deno.test("source and type identify the deployment and the version, whatever an earlier version stored", () => {
  const row = updated();
  row.headers = { ...row.headers, ce_source: "/customer-service", ce_type: "customer.updated" };
  const [encoded] = encodeRows([row], { format: "protobuf", source: "//shop.example/eu" }).events;
  assert.equal(encoded!.headers.ce_source, "//shop.example/eu");
  assert.equal(encoded!.headers.ce_type, "io.shopstar.customer.updated.v1");
  const types = [...TOPICS].map(([topic, schema]) => eventType(topic, schema));
  assert.deepEqual(types, [
    "io.shopstar.audit.event.v1",
    "io.shopstar.customer.created.v1",
    "io.shopstar.customer.erased.v1",
    "io.shopstar.customer.erasure_requested.v1",
    "io.shopstar.customer.group_assigned.v1",
    "io.shopstar.customer.group_removed.v1",
    "io.shopstar.customer.updated.v1",
    "io.shopstar.gdpr.notice_due.v1",
  ]);
});

Deno.test("compaction keeps the erasures of a customer in every store; all other keys are customer IDs", () => {
  const erasedIn = (store: string) => event("customer.erased", store, CUSTOMER);
  const other = crypto.randomUUID();
  const { events } = encodeRows([erasedIn(STORE), erasedIn(other), updated()], PROTOBUF);
  assert.deepEqual(events.map(({ key }) => key), [`${STORE}/${CUSTOMER}`, `${other}/${CUSTOMER}`, CUSTOMER]);
});

Deno.test("a row that cannot be encoded refuses its topic and key only, and its values are not named", () => {
  const unknownTopic = event("customer.teleported", STORE, CUSTOMER);
  const unknownField = event("customer.created", STORE, CUSTOMER, { email: "ada@example.com" });
  const wrongType = event("customer.updated", STORE, CUSTOMER, { changedFields: "ada@example.com" });
  const after = updated();
  const otherKey = event("customer.updated", STORE, crypto.randomUUID());
  const before = updated();
  const rows = [before, unknownTopic, unknownField, wrongType, after, otherKey];
  const { events, refusals } = encodeRows(rows, JSON_FORMAT);
  assert.deepEqual(events.map(({ row }) => row), [before, otherKey]);
  assert.deepEqual(refusals, [
    {
      topic: "customer.teleported",
      rows: [unknownTopic],
      scope: "row",
      reason: "this version does not know the topic customer.teleported",
    },
    {
      topic: "customer.created",
      rows: [unknownField],
      scope: "row",
      reason: "its payload is not a io.shopstar.customer.v1.CustomerCreated",
    },
    {
      topic: "customer.updated",
      rows: [wrongType, after],
      scope: "row",
      reason: "its payload is not a io.shopstar.customer.v1.CustomerUpdated",
    },
  ]);
});
