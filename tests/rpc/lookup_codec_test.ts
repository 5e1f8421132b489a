/** The lookups' own codec gives the bytes and the outcomes of protobuf-es. */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import assert from "node:assert/strict";
import fc from "fast-check";
import { isPlainUuid, uuid } from "../../domain/input.ts";
import type { GroupsKey } from "../../db/lookups.ts";
import { readMessage } from "../../grpc/mod.ts";
import {
  type AddressSchema,
  CustomerStatus,
  GetCustomerGroupsRequestSchema,
  GetCustomerGroupsResponseSchema,
  GetCustomerSnapshotRequestSchema,
  GetCustomerSnapshotResponseSchema,
  PriceListReason,
} from "../../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import {
  type GroupsAnswer,
  readGroupsRequest,
  readSnapshotRequest,
  type SnapshotAnswer,
  writeGroupsAnswer,
  writeSnapshotAnswer,
} from "../../rpc/lookup_codec.ts";

const CODECS = [
  [GetCustomerGroupsRequestSchema, readGroupsRequest],
  [GetCustomerSnapshotRequestSchema, readSnapshotRequest],
] as const;

const text = fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), fc.string({ maxLength: 40 }), fc.uuid());
const time = fc.oneof(
  fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
  fc.integer({ min: -2_000, max: 2_000 }),
);
const int32 = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.constantFrom(0, 127, 128, 16_383, 16_384, -1, 2 ** 31 - 1, -(2 ** 31)),
);
const optional = fc.option(text);
const status = fc.constantFrom("ACTIVE", "SUSPENDED", "CLOSED");

Deno.test("a groups answer has the bytes of protobuf-es", () => {
  const membership = fc.record({
    groupId: text,
    name: text,
    priceListId: text,
    priority: int32,
    assignedAt: time,
  });
  const answer: fc.Arbitrary<GroupsAnswer> = fc.record({
    memberships: fc.array(membership, { maxLength: 12 }),
    priceListId: fc.option(text, { nil: undefined }),
    reason: fc.constantFrom(
      "NO_GROUP",
      "ONLY_GROUP",
      "HIGHEST_PRIORITY",
      "EARLIEST_ASSIGNED",
      "LOWEST_GROUP_ID",
    ),
    status,
  });
  fc.assert(fc.property(answer, ({ memberships, priceListId, reason, status }) => {
    const expected = toBinary(
      GetCustomerGroupsResponseSchema,
      create(GetCustomerGroupsResponseSchema, {
        memberships: memberships.map((one) => ({ ...one, assignedAt: timestampFromMs(one.assignedAt) })),
        ...(priceListId !== undefined && { priceListId }),
        priceListReason: PriceListReason[reason],
        status: CustomerStatus[status],
      }),
    );
    assert.deepEqual(writeGroupsAnswer({ memberships, priceListId, reason, status }), expected);
  }));
});

Deno.test("a snapshot answer has the bytes of protobuf-es", () => {
  const address = fc.record({
    addressId: text,
    line1: text,
    line2: optional,
    city: text,
    state: optional,
    country: text,
    postalCode: optional,
    isDefaultShipping: fc.boolean(),
    isDefaultBilling: fc.boolean(),
  });
  const answer: fc.Arbitrary<SnapshotAnswer> = fc.record({
    customerId: text,
    email: text,
    firstName: optional,
    lastName: optional,
    locale: optional,
    addresses: fc.array(address, { maxLength: 5 }),
    status,
    version: int32,
  });
  fc.assert(fc.property(answer, (customer) => {
    const { addresses, status, firstName, lastName, locale, ...rest } = customer;
    const message = (found: typeof addresses[number] | undefined) =>
      found && present(found) as MessageInitShape<typeof AddressSchema>;
    const expected = toBinary(
      GetCustomerSnapshotResponseSchema,
      create(GetCustomerSnapshotResponseSchema, {
        ...rest,
        ...present({ firstName, lastName, locale }),
        ...present({
          defaultShippingAddress: message(addresses.find((one) => one.isDefaultShipping)),
          defaultBillingAddress: message(addresses.find((one) => one.isDefaultBilling)),
        }),
        status: CustomerStatus[status],
      }),
    );
    assert.deepEqual(writeSnapshotAnswer(customer), expected);
  }));
});

Deno.test("the answers can have every field of the contract", () => {
  const group = { groupId: "g", name: "n", priceListId: "p", priority: 1, assignedAt: 1_001 };
  const groups = writeGroupsAnswer({
    memberships: [group],
    priceListId: "p",
    reason: "ONLY_GROUP",
    status: "ACTIVE",
  });
  const address = {
    addressId: "a",
    line1: "1",
    line2: "2",
    city: "c",
    state: "s",
    country: "CH",
    postalCode: "8",
  };
  const snapshot = writeSnapshotAnswer({
    customerId: "c",
    email: "e",
    firstName: "f",
    lastName: "l",
    locale: "de",
    addresses: [{ ...address, isDefaultShipping: true, isDefaultBilling: true }],
    status: "ACTIVE",
    version: 1,
  });
  requireEveryField(
    reflect(GetCustomerGroupsResponseSchema, fromBinary(GetCustomerGroupsResponseSchema, groups)),
  );
  requireEveryField(
    reflect(GetCustomerSnapshotResponseSchema, fromBinary(GetCustomerSnapshotResponseSchema, snapshot)),
  );
});

function requireEveryField(message: ReflectMessage): void {
  for (const field of message.fields) {
    assert.ok(message.isSet(field), String(field));
    if (field.fieldKind === "message") requireEveryField(message.get(field));
    if (field.fieldKind === "list" && field.listKind === "message") {
      for (const item of message.get(field)) requireEveryField(item as ReflectMessage);
    }
  }
}

Deno.test("messages of any length are written one after the other, and one does not change another", () => {
  const name = "é".repeat(40_000);
  const membership = { groupId: "g", name, priceListId: "p", priority: 1, assignedAt: 1 };
  const answer: GroupsAnswer = {
    memberships: Array(20).fill(membership),
    priceListId: "p",
    reason: "ONLY_GROUP",
    status: "ACTIVE",
  };
  const small = writeGroupsAnswer({ ...answer, memberships: [] });
  const copy = small.slice();
  const large = writeGroupsAnswer(answer);
  const { memberships } = readMessage(GetCustomerGroupsResponseSchema, large);
  assert.deepEqual(memberships.map((one) => one.name), Array(20).fill(name));
  assert.deepEqual([small, writeGroupsAnswer({ ...answer, memberships: [] })], [copy, copy]);
});

Deno.test("a request is read as protobuf-es reads it, whatever its bytes", () => {
  const id = fc.oneof(fc.uuid(), fc.uuid().map((id) => id.toUpperCase()), text);
  /** Fields in any order, repeated, unknown, and of wrong wire types. */
  const field = fc.oneof(
    fc.tuple(fc.constantFrom(0x0a, 0x12, 0x1a, 0x7a), id).map(([tag, id]) => lengthDelimited(tag, id)),
    fc.tuple(fc.constantFrom(0x18, 0x20), int32).map(([tag, number]) => [tag, ...varint(number)]),
    fc.constantFrom([0x18, 0x80, 0], [0x20, 0], [0x18, ...Array(9).fill(0xff), 1], [0x20, 0xff]),
    fc.constantFrom([0x08, 1], [0x10, 0x96, 1], [0x0d, 1, 2, 3, 4], [0x11, 1, 2, 3, 4, 5, 6, 7, 8]),
    fc.constantFrom([0x1b, 0x1c], [0x0b, 0x0c], [0x0c], [0x02, 1, 0x61], [0x0e], Array(11).fill(0xff)),
  );
  const plain = fc.tuple(fc.uuid(), fc.uuid()).map(([customer, store]) => [
    ...lengthDelimited(0x0a, customer),
    ...lengthDelimited(0x12, store),
  ]);
  const versioned = fc.tuple(plain, fc.array(field, { maxLength: 3 })).map(([key, fields]) => [
    ...key,
    ...fields.flat(),
  ]);
  const fields = fc.oneof(plain, versioned, fc.array(field, { maxLength: 5 }).map((fields) => fields.flat()));
  const cut = fc.tuple(fields, fc.nat()).map(([bytes, at]) => bytes.slice(0, at % (bytes.length + 1)));
  const flipped = fc.tuple(plain, fc.nat(), fc.nat({ max: 255 })).map(([bytes, at, value]) =>
    bytes.with(at % bytes.length, value)
  );
  const random = fc.uint8Array({ maxLength: 100 }).map((bytes) => [...bytes]);
  fc.assert(
    fc.property(fc.oneof(fields, cut, flipped, random), (given) => {
      const bytes = Uint8Array.from(given);
      for (const [schema, read] of CODECS) {
        assert.deepEqual(outcomeOf(() => read(bytes)), outcomeOf(() => readMessage(schema, bytes)));
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("the requests of generated clients are read without protobuf-es", () => {
  const [customerId, storeId] = [crypto.randomUUID(), crypto.randomUUID()];
  for (const [schema, read] of CODECS) {
    const request = read(toBinary<typeof GetCustomerGroupsRequestSchema>(
      schema as typeof GetCustomerGroupsRequestSchema,
      create(schema, { customerId, storeId }) as never,
    ));
    assert.deepEqual(request, { customerId, storeId }); // a message would have $typeName
  }
  const versioned = { customerId, storeId, minVersion: 0, minMembershipVersion: 0 };
  for (const versions of [{ minVersion: 1 }, { minMembershipVersion: 300 }, { minVersion: 2 ** 28 - 1 }]) {
    const request = { ...versioned, ...versions };
    const schema = GetCustomerGroupsRequestSchema;
    assert.deepEqual(readGroupsRequest(toBinary(schema, create(schema, request))), request);
  }
});

Deno.test("a plain UUID is one that the schema accepts and does not change", () => {
  const character = fc.constantFrom(..."0123456789abcdefABCDEFg-٠ \n\u0000ſK{}");
  const changed = fc.tuple(fc.uuid(), fc.nat({ max: 36 }), character).chain(([id, at, one]) =>
    fc.constantFrom(
      id,
      id.toUpperCase(),
      id.slice(0, at) + one + id.slice(at + 1),
      id.slice(0, at) + one + id.slice(at),
    )
  );
  const nil = "00000000-0000-0000-0000-000000000000";
  const id = fc.oneof(
    changed,
    text,
    fc.string({ unit: character, minLength: 34, maxLength: 38 }),
    fc.constantFrom(nil, nil.replaceAll("0", "f"), `${nil}\n`, ` ${nil}`, `{${nil}}`, `urn:uuid:${nil}`),
  );
  let plain = 0;
  fc.assert(
    fc.property(id, (id) => {
      const { data } = uuid.safeParse(id);
      assert.equal(isPlainUuid(id), data === id && data !== undefined);
      if (data === id) plain++;
    }),
    { numRuns: 5_000 },
  );
  assert.ok(plain > 100, `${plain} plain UUIDs`);
});

function lengthDelimited(tag: number, text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  const { length } = bytes;
  return [tag, ...(length < 0x80 ? [length] : [length & 0x7f | 0x80, length >> 7]), ...bytes];
}

function varint(number: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(number));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

/** The fields, or the refusal. */
function outcomeOf(read: () => GroupsKey): unknown {
  try {
    const { customerId, storeId, minVersion = 0, minMembershipVersion = 0 } = read();
    return { customerId, storeId, minVersion, minMembershipVersion };
  } catch (error) {
    return String(error);
  }
}

/** Without the values that are null or undefined, and without what is not in the message. */
function present<T extends object>(values: T): { [Name in keyof T]?: NonNullable<T[Name]> } {
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) =>
      value !== null && value !== undefined && !name.startsWith("isDefault")
    ),
  ) as ReturnType<typeof present<T>>;
}
