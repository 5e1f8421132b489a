/** Input validation: no command writes invalid input. */
import assert from "node:assert/strict";
import { ADDRESS, createGroup, createWorld, customerRef, groupRef, register, tell } from "./world.ts";

const LONG = "x".repeat(10_000);

/** Invalid values by command and field. */
const INVALID: [command: string, field: string, values: unknown[]][] = [
  ["register", "email", [
    undefined,
    null,
    "",
    "no-at-sign",
    "a@b",
    "a b@example.com",
    `${LONG}@example.com`,
    7,
    "a@example.com\u0000",
  ]],
  ["register", "password", ["secret"]],
  ["profile.update", "firstName", [
    "\u3164",
    "\u200b\u2060",
    LONG,
    "A\u0000da",
    "A\nda",
    "A\u0085da",
    "A\u2028da",
    7,
    {},
    [],
    "\ud800",
  ]],
  ["profile.update", "lastName", ["\u2800", LONG, "\u0007"]],
  ["profile.update", "phone", [
    "0445551234",
    "+0445551234",
    "+41 44 555 12 34",
    "+412345678901234567",
    "none",
  ]],
  ["profile.update", "locale", [
    "x",
    "de_CH_",
    "-",
    LONG,
    "de\u0000",
    "sh-x-aaaaaaaa-aaaaaaaa-aaaaaaaa-aaa", // 35 characters, but 40 in canonical spelling
  ]],
  ["profile.update", "email", [null, "", "no-at-sign"]],
  ["profile.update", "status", ["CLOSED"]],
  ["profile.update", "version", [1]],
  ["address.add", "line1", [undefined, null, "", LONG]],
  ["address.add", "city", [null, "", LONG]],
  ["address.add", "country", [null, "", "ch", "CHE", "XX", "EU", "UK"]],
  ["address.add", "postalCode", ["\u200b", LONG]],
  ["address.add", "isDefaultShipping", [null, "yes", 1]],
  ["address.add", "customerId", [crypto.randomUUID()]],
  ["address.update", "addressId", [undefined, "", "1", "' or 1 = 1", LONG, "\u0000"]],
  ["address.delete", "addressId", [undefined, "not-a-uuid", 7]],
  ["group.assign", "groupId", [undefined, "not-a-uuid", `${crypto.randomUUID()}0`]],
  ["group.assign", "assignedBy", [crypto.randomUUID()]],
  ["erase", "requestId", [undefined, "not-a-uuid"]],
];

const REQUIRED: Record<string, Record<string, unknown>> = {
  register: { email: "valid@example.com" },
  "address.add": ADDRESS,
  "address.update": { addressId: crypto.randomUUID() },
  "group.assign": { groupId: crypto.randomUUID() },
};

Deno.test("invalid input is refused with the name of the field before any SQL", async (t) => {
  await using world = await createWorld();
  const ref = await register(world);
  for (const [command, field, values] of INVALID) {
    await t.step(`${command} ${field}`, async () => {
      for (const value of values) {
        const target = command === "register" ? customerRef(world) : ref;
        const sending = tell(world, target, command, { ...REQUIRED[command], [field]: value });
        await assert.rejects(sending, (error: Error & { code: string }) => {
          assert.equal(error.code, "INVALID_INPUT", JSON.stringify(value)?.slice(0, 50));
          assert.match(error.message, new RegExp(field));
          assert.ok(error.message.length < 300);
          if (typeof value === "string" && value.length > 3) {
            assert.ok(!error.message.includes(value), "the message does not contain the value");
          }
          return true;
        });
      }
    });
  }

  await t.step("a group's values", async () => {
    const valid = { name: "Gold", priceListId: crypto.randomUUID(), priority: 1 };
    const invalid = [
      { name: "" },
      { name: LONG },
      { priceListId: "list" },
      { priority: 1.5 },
      { priority: 2 ** 31 },
      { priority: "1" },
      { extra: 1 },
    ];
    for (const fields of invalid) {
      await assert.rejects(tell(world, groupRef(world), "group.create", { ...valid, ...fields }), {
        code: "INVALID_INPUT",
      });
    }
  });

  await t.step("IDs that are not UUIDs, and unknown commands", async () => {
    await assert.rejects(tell(world, customerRef(world, "1"), "profile.update", {}), {
      code: "INVALID_INPUT",
    });
    await assert.rejects(tell(world, ref, "account.promote"), { code: "INVALID_INPUT" });
    await assert.rejects(tell(world, ref, "constructor"), { code: "INVALID_INPUT" });
    await assert.rejects(tell(world, ref, "__proto__"), { code: "INVALID_INPUT" });
  });

  await t.step("an address of another customer and a group of another store are NOT_FOUND", async () => {
    const otherCustomer = await register(world);
    const { ids } = await tell(world, otherCustomer, "address.add", ADDRESS);
    await assert.rejects(tell(world, ref, "address.update", { addressId: ids.addressId, city: "Bern" }), {
      code: "NOT_FOUND",
    });
    await assert.rejects(tell(world, ref, "address.delete", { addressId: ids.addressId }), {
      code: "NOT_FOUND",
    });
    const other = { ...world, storeId: crypto.randomUUID() };
    other.system = { ...world.system, storeId: other.storeId };
    const { id: groupId } = await createGroup(other);
    await assert.rejects(tell(world, ref, "group.assign", { groupId }), { code: "NOT_FOUND" });
  });

  await t.step("nothing was written", async () => {
    const [row] = await world.admin`
      select (select count(*)::int from customers) as customers, version,
        (select count(*)::int from actor_events where actor_id = ${ref.id}) as journal
      from customers where customer_id = ${ref.id}`;
    assert.deepEqual({ ...row }, { customers: 2, version: 1, journal: 1 });
  });
});
