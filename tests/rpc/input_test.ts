/** Invalid requests: refused before they reach SQL, in messages that reveal no internals. */
import assert from "node:assert/strict";
import { createDatabase } from "../database.ts";
import { arrangeCustomer } from "./arrange.ts";
import { asked, callRaw, type Outcome } from "./client.ts";
import { serveLookups } from "./serve.ts";

const METHODS = ["GetCustomerGroups", "GetCustomerSnapshot"];
const VALID = "0a8d1c9e-90ab-4cde-8f01-23456789abcd";

const MALFORMED: Record<string, string> = {
  "nothing": "",
  "a word": "customer",
  "a UUID in braces": `{${VALID}}`,
  "a UUID without hyphens": VALID.replaceAll("-", ""),
  "a UUID with a space": ` ${VALID}`,
  "a UUID with a line break": `${VALID}\n`,
  "a NUL byte": VALID.replace("0a", "\u0000\u0000"),
  "other digits": VALID.replace("0a", "٠٠"),
  "SQL": "'; drop table customers; --",
  "an array literal": `{${VALID},${VALID}}`,
  "a long text": "a".repeat(10_000),
};

for (const method of METHODS) {
  Deno.test(`${method} refuses a value that is not a UUID, in either field`, async (t) => {
    await using db = await createDatabase();
    await using server = await serveLookups(db);
    for (const [what, value] of Object.entries(MALFORMED)) {
      for (const field of ["store_id", "customer_id"]) {
        await t.step(`${what} as ${field}`, async () => {
          const request = { store_id: VALID, customer_id: VALID, [field]: value };
          const outcome = await server.client.call(method, request);
          assert.equal(outcome.status, "INVALID_ARGUMENT");
          assert.ok(outcome.details.includes(`${field} must be a UUID`), outcome.details);
          assert.deepEqual(outcome.fields, [`${field} must be a UUID`]);
          assert.ok(outcome.details.length < 200);
          discreet(outcome);
        });
      }
    }
  });

  Deno.test(`${method} refuses bytes that are not a request`, async (t) => {
    await using db = await createDatabase();
    await using server = await serveLookups(db);
    const cases: Record<string, number[]> = {
      "bad UTF-8": [0x0a, 4, 0xff, 0xfe, 0xc0, 0x80],
      "a field that ends too early": [0x0a, 36, 0x61],
      "a length beyond any message": [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
      "a field number of 0": [0x02, 1, 0x61],
      "an endless varint": Array(11).fill(0xff),
      "a number instead of text": [0x08, 1],
      "the end of a group that never began": [0x0c],
      "no bytes at all": [],
    };
    for (const [what, bytes] of Object.entries(cases)) {
      await t.step(what, async () => {
        const outcome = await callRaw(server.port, method, Uint8Array.from(bytes));
        assert.equal(outcome.status, "INVALID_ARGUMENT");
        assert.equal(outcome.reason, "INVALID_INPUT");
        discreet(outcome);
      });
    }
  });
}

Deno.test("a request over the limit is refused unread", async () => {
  await using db = await createDatabase();
  await using server = await serveLookups(db);
  const outcome = await server.client.groups({ store_id: VALID, customer_id: "a".repeat(100_000) });
  assert.deepEqual([outcome.status, outcome.reason], ["RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED"]);
  discreet(outcome);
});

Deno.test("fields of a later version are ignored", async () => {
  await using db = await createDatabase();
  await using server = await serveLookups(db);
  const { storeId, customerId } = await arrangeCustomer(db.admin);
  const text = new TextEncoder();
  const bytes = [0x0a, 36, ...text.encode(customerId), 0x12, 36, ...text.encode(storeId), 0x7a, 3, 1, 2, 3];
  assert.equal((await callRaw(server.port, "GetCustomerGroups", Uint8Array.from(bytes))).status, "OK");
});

Deno.test("a method that does not exist is UNIMPLEMENTED", async () => {
  await using db = await createDatabase();
  await using server = await serveLookups(db);
  const { status, reason, domain } = await callRaw(server.port, "GetEverything", new Uint8Array());
  assert.deepEqual([status, reason, domain], ["UNIMPLEMENTED", "UNIMPLEMENTED", "customer-service"]);
});

Deno.test("after all invalid requests the server answers as before", async () => {
  await using db = await createDatabase();
  await using server = await serveLookups(db);
  const customer = await arrangeCustomer(db.admin);
  await Promise.all(
    Array.from(
      { length: 50 },
      (_, at) =>
        at % 2 === 0
          ? callRaw(server.port, "GetCustomerGroups", crypto.getRandomValues(new Uint8Array(60)))
          : server.client.groups({ store_id: "x" }),
    ),
  );
  assert.equal((await server.client.groups(asked(customer))).status, "OK");
});

/** Asserts that a message has no stack trace, SQL, path or words of a library, and that programs have a reason. */
function discreet({ details, domain }: Outcome): void {
  assert.equal(domain, "customer-service");
  assert.doesNotMatch(details, /\bat \w+|select|insert|postgres|\.[jt]s\b|node_modules/i);
  assert.ok(!details.includes("\u0000"));
}
