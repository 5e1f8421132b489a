import assert from "node:assert/strict";
import { fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { encodeRows } from "../../events/encode.ts";
import { UnpublishableError } from "../../events/sink.ts";
import { CustomerUpdatedSchema } from "../../proto/gen/io/shopstar/customer/v1/events_pb.ts";
import { event } from "./outbox.ts";

const STORE = crypto.randomUUID();
const CUSTOMER = crypto.randomUUID();
const updated = () => event("customer.updated", STORE, CUSTOMER, { changedFields: ["email"] });

Deno.test("an event has the same content in both formats, which content-type identifies", () => {
  const row = updated();
  const [binary] = encodeRows([row], "protobuf");
  const [text] = encodeRows([row], "json");

  assert.equal(binary!.headers["content-type"], "application/protobuf");
  assert.equal(text!.headers["content-type"], "application/json");
  const fromText = fromJsonString(CustomerUpdatedSchema, new TextDecoder().decode(text!.value));
  assert.deepEqual(fromBinary(CustomerUpdatedSchema, binary!.value), fromText);
  assert.equal(fromText.eventId, row.eventId);
  assert.deepEqual(fromText.changedFields, ["email"]);
});

Deno.test("an event has its CloudEvents attributes as headers, with the version of the specification", () => {
  const row = updated();
  const [encoded] = encodeRows([row], "protobuf");
  assert.deepEqual(encoded!.headers, {
    ...row.headers,
    ce_specversion: "1.0",
    "content-type": "application/protobuf",
  });
});

Deno.test("every row that cannot be encoded is named, without its values", () => {
  const unknownTopic = event("customer.teleported", STORE, CUSTOMER);
  const unknownField = event("customer.created", STORE, CUSTOMER, { email: "ada@example.com" });
  const wrongType = event("customer.updated", STORE, CUSTOMER, { changedFields: "ada@example.com" });
  assert.throws(
    () => encodeRows([updated(), unknownTopic, unknownField, wrongType], "json"),
    (error: unknown) => {
      assert.ok(error instanceof UnpublishableError);
      assert.deepEqual([...error.reasons], [
        [unknownTopic.eventId, "this version does not know the topic customer.teleported"],
        [unknownField.eventId, "its payload is not a io.shopstar.customer.v1.CustomerCreated"],
        [wrongType.eventId, "its payload is not a io.shopstar.customer.v1.CustomerUpdated"],
      ]);
      assert.doesNotMatch(error.message, /ada/);
      return true;
    },
  );
});
