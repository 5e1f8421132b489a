/** Access control of the graph: callers who are not the shopper get nothing. */
import assert from "node:assert/strict";
import type { Principal } from "../../domain/principal.ts";
import { ADDRESS, createGroup, tell } from "../actors/world.ts";
import { bearer, createIssuer, registerShopper, startGraph, stored, type TestGraph } from "./server.ts";

const ENTITIES = `query ($references: [_Any!]!) {
  _entities(representations: $references) { ... on Customer { id email addresses { line1 } } }
}`;
const OWN = `{ me { id email } }`;

/** Every field of the graph that reads or changes an account. */
const FIELDS: Record<string, { query: string; variables?: Record<string, unknown> }> = {
  me: { query: OWN },
  updateProfile: { query: `mutation { updateProfile(input: { firstName: "Eve" }) { customer { id } } }` },
  addAddress: {
    query: `mutation ($input: AddAddressInput!) { addAddress(input: $input) { address { id } } }`,
    variables: { input: ADDRESS },
  },
  updateAddress: {
    query: `mutation ($id: ID!) { updateAddress(id: $id, input: { line1: "Eve" }) { address { id } } }`,
    variables: { id: crypto.randomUUID() },
  },
  deleteAddress: {
    query: `mutation ($id: ID!) { deleteAddress(id: $id) { addressId } }`,
    variables: { id: crypto.randomUUID() },
  },
};

Deno.test("every field refuses a caller without a shopper's valid token", async () => {
  await using graph = await startGraph();
  const { world } = graph;
  const { as } = await registerShopper(world);
  const before = await stored(world);
  const staff: Principal = { ...world.staff, roles: ["STORE_MANAGER"] };
  const another = await bearer(await createIssuer(), as);
  const callers: [string, Record<string, string>][] = [
    ["UNAUTHENTICATED", {}],
    ["UNAUTHENTICATED", { authorization: "Basic YWRhOmFkYQ==" }],
    ["UNAUTHENTICATED", { authorization: "Bearer x.y.z" }],
    ["UNAUTHENTICATED", { authorization: another }],
    ["UNAUTHENTICATED", { authorization: await bearer(graph.issuer, as, -3600) }],
    ["FORBIDDEN", { authorization: await bearer(graph.issuer, staff) }],
    ["FORBIDDEN", { authorization: await bearer(graph.issuer, world.system) }],
  ];
  for (const [code, headers] of callers) {
    for (const { query, variables } of Object.values(FIELDS)) {
      const reply = await graph.ask(query, { headers, ...(variables ? { variables } : {}) });
      assert.deepEqual([reply.status, reply.codes, reply.data], [200, [code], null]);
    }
    const references = [{ __typename: "Customer", id: as.id }];
    const entities = await graph.ask(ENTITIES, { headers, variables: { references } });
    assert.deepEqual([entities.codes, entities.data], [[code], null]);
  }
  assert.deepEqual(await stored(world), before);
});

Deno.test("_entities returns the own customer and refuses every other one, known or unknown, in the same way", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world, { email: "ada@example.com" });
  const { ref: other } = await registerShopper(graph.world, { email: "eve@example.com" });
  await tell(graph.world, other, "address.add", ADDRESS);
  const ids = [other.id, as.id, crypto.randomUUID(), "no-uuid", 7, undefined];
  const references = ids.map((id) => ({ __typename: "Customer", id }));
  const { status, data, errors, codes, text } = await graph.ask(ENTITIES, { as, variables: { references } });
  assert.equal(status, 200);
  assert.deepEqual(data._entities, [
    null,
    { id: as.id, email: "ada@example.com", addresses: [] },
    null,
    null,
    null,
    null,
  ]);
  assert.deepEqual(codes, ["FORBIDDEN", "FORBIDDEN", "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT"]);
  assert.deepEqual(errors?.map(({ path }) => path), [0, 2, 3, 4, 5].map((index) => ["_entities", index]));
  const [known, unknown] = errors?.map(({ message }) => message.replaceAll(/[0-9a-f-]{36}/g, "…")) ?? [];
  assert.equal(known, unknown);
  assert.doesNotMatch(text, /eve@|Bahnhof/);
});

Deno.test("_entities takes references to its entities only, and at most a hundred", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const own = { __typename: "Customer", id: as.id };
  const bad = [{ __typename: "GdprRequest", id: as.id }, { id: as.id }, "Secret", null, [], 7].map((
    reference,
  ) => [reference]);
  for (const references of [...bad, Array(101).fill(own)]) {
    const { codes, data, text } = await graph.ask(ENTITIES, { as, variables: { references } });
    assert.deepEqual([codes, data ?? null], [["BAD_USER_INPUT"], null]);
    assert.doesNotMatch(text, /Secret/);
  }
  const { data } = await graph.ask(ENTITIES, { as, variables: { references: Array(100).fill(own) } });
  assert.equal(data._entities.length, 100);
});

Deno.test("_entities returns the own addresses and groups only; every other one looks like a missing one", async () => {
  await using graph = await startGraph();
  const { world } = graph;
  const { ref, as } = await registerShopper(world);
  const { ref: other, as: eve } = await registerShopper(world);
  const address = (await tell(world, ref, "address.add", ADDRESS)).ids.addressId!;
  const group = await createGroup(world, { name: "Partners" });
  await tell(world, ref, "group.assign", { groupId: group.id });
  await createGroup(world, { name: "Payment risk" });
  const query = `query ($references: [_Any!]!) { _entities(representations: $references) {
    ... on CustomerAddress { id line1 } ... on ShopperGroup { id name }
  } }`;
  const references = [address.toUpperCase(), crypto.randomUUID(), "no-uuid", undefined].flatMap((id) => [
    { __typename: "CustomerAddress", id },
    { __typename: "ShopperGroup", id: id === address.toUpperCase() ? group.id : id },
  ]);
  const own = await graph.ask(query, { as, variables: { references } });
  assert.deepEqual(own.data._entities.slice(0, 2), [
    { id: address, line1: ADDRESS.line1 },
    { id: group.id, name: "Partners" },
  ]);
  const refused = [...Array(4).fill("BAD_USER_INPUT"), "NOT_FOUND", "NOT_FOUND"];
  assert.deepEqual([own.data._entities.slice(2), own.codes.toSorted()], [Array(6).fill(null), refused]);

  const elsewhere = { ...as, storeId: crypto.randomUUID() };
  const system = { ...world.system, storeId: elsewhere.storeId };
  await tell(world, { ...ref, storeId: elsewhere.storeId }, "register", { email: "twin@example.com" }, {
    by: system,
  });
  for (const by of [eve, elsewhere]) {
    const { data, codes, errors, text } = await graph.ask(query, { as: by, variables: { references } });
    assert.deepEqual([data._entities, codes.toSorted()], [
      Array(8).fill(null),
      [...refused, "NOT_FOUND", "NOT_FOUND"],
    ]);
    const messages = errors!.filter(({ extensions }) => extensions?.code === "NOT_FOUND")
      .map(({ message }) => message.replaceAll(/[0-9a-f-]{36}/g, "…")).toSorted();
    assert.deepEqual([messages[0], messages[2]], [messages[1], messages[3]]);
    assert.doesNotMatch(text, /Partners|Payment|Bahnhof/);
  }
  const anonymous = await graph.ask(query, { variables: { references } });
  assert.deepEqual([anonymous.codes, anonymous.data], [["UNAUTHENTICATED"], null]);
  await tell(world, other, "erase", { requestId: crypto.randomUUID() });
  const erased = await graph.ask(query, { as: eve, variables: { references: references.slice(0, 2) } });
  assert.deepEqual(erased.codes, ["REFUSED_IN_STATE", "REFUSED_IN_STATE"]);
});

Deno.test("the same customer id in another store is another customer", async () => {
  await using graph = await startGraph();
  const { world } = graph;
  const { ref, as } = await registerShopper(world, { email: "ada@example.com" });
  const elsewhere = { ...as, storeId: crypto.randomUUID() };
  for (const [field, { query, variables }] of Object.entries(FIELDS)) {
    const reply = await graph.ask(query, { as: elsewhere, ...(variables ? { variables } : {}) });
    assert.deepEqual([reply.codes, reply.data], [["NOT_FOUND"], { [field]: null }]);
  }
  const twin = { ...ref, storeId: elsewhere.storeId };
  const system = { ...world.system, storeId: elsewhere.storeId };
  await tell(world, twin, "register", { email: "twin@example.com" }, { by: system });
  assert.equal((await graph.ask(OWN, { as: elsewhere })).data.me.email, "twin@example.com");
  assert.equal((await graph.ask(OWN, { as })).data.me.email, "ada@example.com");
});

Deno.test("another customer's address can be neither corrected nor deleted", async () => {
  await using graph = await startGraph();
  const { ref: other } = await registerShopper(graph.world);
  const { ids } = await tell(graph.world, other, "address.add", ADDRESS);
  const { as } = await registerShopper(graph.world);
  const before = await stored(graph.world);
  for (const field of ["updateAddress", "deleteAddress"]) {
    const { codes, data } = await graph.ask(FIELDS[field]!.query, { as, variables: { id: ids.addressId } });
    assert.deepEqual([codes, data], [["NOT_FOUND"], { [field]: null }]);
  }
  assert.deepEqual(await stored(graph.world), before);
});

Deno.test("an anonymized customer is refused", async () => {
  await using graph = await startGraph();
  const { ref, as } = await registerShopper(graph.world);
  await tell(graph.world, ref, "erase", { requestId: crypto.randomUUID() });
  await refuses(graph, as, Object.keys(FIELDS));
  const references = [{ __typename: "Customer", id: ref.id }];
  const { codes, data } = await graph.ask(ENTITIES, { as, variables: { references } });
  assert.deepEqual([codes, data], [["REFUSED_IN_STATE"], { _entities: [null] }]);
});

Deno.test("a suspended customer sees the account and cannot change it", async () => {
  await using graph = await startGraph();
  const { ref, as } = await registerShopper(graph.world);
  await tell(graph.world, ref, "account.suspend");
  await refuses(graph, as, ["updateProfile", "addAddress"]);
  assert.equal((await graph.ask(OWN, { as })).data.me.id, ref.id);
});

async function refuses(graph: TestGraph, as: Principal, fields: string[]) {
  for (const field of fields) {
    const { query, variables } = FIELDS[field]!;
    const { codes, data } = await graph.ask(query, { as, ...(variables ? { variables } : {}) });
    assert.deepEqual([field, codes, data], [field, ["REFUSED_IN_STATE"], { [field]: null }]);
  }
}
