/** Account of a shopper, read and changed through the graph. */
import assert from "node:assert/strict";
import { ADDRESS, createGroup, tell } from "../actors/world.ts";
import { registerShopper, startGraph, stored } from "./server.ts";

const EVERYTHING = `{ me {
  id email firstName lastName phone locale status version
  addresses { id line1 line2 city state country postalCode isDefaultShipping isDefaultBilling }
  shopperGroups { id name priceListId priority assignedAt }
} }`;

Deno.test("me returns the whole account, the groups in the order in which prices are resolved", async () => {
  await using graph = await startGraph();
  const { world } = graph;
  const profile = {
    email: "Ada@Example.com",
    firstName: "Ada",
    lastName: "Lovelace",
    phone: "+41445551234",
    locale: "de-CH",
  };
  const { ref, as } = await registerShopper(world, profile);
  const low = await createGroup(world, { name: "Everybody", priority: 1 });
  const high = await createGroup(world, { name: "Partners", priority: 9 });
  await tell(world, ref, "group.assign", { groupId: low.id });
  await tell(world, ref, "group.assign", { groupId: high.id });
  await tell(world, ref, "address.add", { ...ADDRESS, isDefaultBilling: true });
  const { version } = await tell(world, ref, "address.add", { ...ADDRESS, line1: "Limmatquai 2" });
  assert.equal(version, 3); // the groups do not count

  const { status, data, errors } = await graph.ask(EVERYTHING, { as });
  assert.equal(errors, undefined);
  assert.equal(status, 200);
  const { addresses, shopperGroups, ...own } = data.me;
  assert.deepEqual(own, { id: ref.id, ...profile, status: "ACTIVE", version });
  const blank = { line2: null, state: null, isDefaultShipping: false, isDefaultBilling: false };
  assert.deepEqual(addresses.map(({ id: _, ...address }: { id: string }) => address), [
    { ...blank, ...ADDRESS, isDefaultBilling: true },
    { ...blank, ...ADDRESS, line1: "Limmatquai 2" },
  ]);
  assert.deepEqual(shopperGroups.map(({ name }: { name: string }) => name), ["Partners", "Everybody"]);
  assert.equal(shopperGroups[0].id, high.id);
  assert.equal(shopperGroups[0].priority, 9);
  assert.match(shopperGroups[0].priceListId, /^[0-9a-f-]{36}$/);
  assert.ok(Math.abs(Date.parse(shopperGroups[0].assignedAt) - Date.now()) < 60_000);
});

Deno.test("updateProfile changes the given fields, clears null ones and keeps the rest", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world, {
    firstName: "Ada",
    lastName: "Byron",
    phone: "+41445551234",
  });
  const { data, errors } = await graph.ask(
    `mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { customer { firstName lastName phone locale version } } }`,
    { as, variables: { input: { lastName: "Lovelace", phone: null, locale: "de-ch" } } },
  );
  assert.equal(errors, undefined);
  assert.deepEqual(data.updateProfile.customer, {
    firstName: "Ada",
    lastName: "Lovelace",
    phone: null,
    locale: "de-CH",
    version: 2,
  });
});

Deno.test("a missing variable inside an input leaves its field unchanged", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world, { firstName: "Ada", lastName: "Byron" });
  const { data } = await graph.ask(
    `mutation ($first: String, $last: String) {
      updateProfile(input: { firstName: $first, lastName: $last }) { customer { firstName lastName } }
    }`,
    { as, variables: { last: "Lovelace" } },
  );
  assert.deepEqual(data.updateProfile.customer, { firstName: "Ada", lastName: "Lovelace" });
});

Deno.test("addresses are added, corrected and deleted; a default moves from one to the other", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const add =
    `mutation ($input: AddAddressInput!) { addAddress(input: $input) { address { id line2 isDefaultShipping } } }`;
  const first = await graph.ask(add, {
    as,
    variables: { input: { ...ADDRESS, line2: "c/o Babbage", isDefaultShipping: true } },
  });
  const second = await graph.ask(add, { as, variables: { input: ADDRESS } });
  const { id } = second.data.addAddress.address;
  assert.deepEqual(first.data.addAddress.address, {
    id: first.data.addAddress.address.id,
    line2: "c/o Babbage",
    isDefaultShipping: true,
  });
  assert.equal(second.data.addAddress.address.isDefaultShipping, false);

  const updated = await graph.ask(
    `mutation ($id: ID!, $input: UpdateAddressInput!) {
      updateAddress(id: $id, input: $input) { address { id line1 line2 city postalCode isDefaultShipping } }
    }`,
    {
      as,
      variables: {
        id: id.toUpperCase(),
        input: { line1: "Limmatquai 2", postalCode: null, isDefaultShipping: true },
      },
    },
  );
  assert.deepEqual(updated.data.updateAddress.address, {
    id,
    line1: "Limmatquai 2",
    line2: null,
    city: ADDRESS.city,
    postalCode: null,
    isDefaultShipping: true,
  });

  const deleted = await graph.ask(`mutation ($id: ID!) { deleteAddress(id: $id) { addressId } }`, {
    as,
    variables: { id },
  });
  assert.deepEqual(deleted.data, { deleteAddress: { addressId: id } });
  const { data } = await graph.ask(`{ me { addresses { id isDefaultShipping } } }`, { as });
  assert.deepEqual(data.me.addresses, [{ id: first.data.addAddress.address.id, isDefaultShipping: false }]);
});

Deno.test("a change with an outdated version is a conflict and writes nothing", async () => {
  await using graph = await startGraph();
  const { ref, as } = await registerShopper(graph.world, { firstName: "Ada" });
  const rename = (expectedVersion: number) =>
    graph.ask(
      `mutation ($version: Int) {
        updateProfile(input: { firstName: "Augusta" }, expectedVersion: $version) { customer { firstName version } }
      }`,
      { as, variables: { version: expectedVersion } },
    );
  const stale = await rename(7);
  assert.deepEqual([stale.status, stale.codes, stale.data], [200, ["CONFLICT"], { updateProfile: null }]);
  assert.match(stale.errors?.[0]?.message ?? "", new RegExp(`${ref.id}.* version 1, not 7`));
  assert.deepEqual((await rename(1)).data.updateProfile.customer, { firstName: "Augusta", version: 2 });
});

Deno.test("a request repeated with its key runs each of its changes once", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const move = (key: string, line1 = "Limmatquai 2") =>
    graph.ask(
      `mutation ($input: AddAddressInput!, $line1: String!) {
        home: addAddress(input: $input) { address { id line1 } }
        work: addAddress(input: { line1: $line1, city: "Bern", country: "CH" }) { address { id line1 } }
      }`,
      { as, variables: { input: ADDRESS, line1 }, headers: { "idempotency-key": key } },
    );
  const first = await move("one");
  assert.equal(first.errors, undefined);
  assert.notEqual(first.data.home.address.id, first.data.work.address.id);
  assert.deepEqual((await move("one")).data, first.data);

  const other = await move("one", "Limmatquai 3");
  assert.deepEqual(other.codes, ["BAD_USER_INPUT"]);
  assert.deepEqual(other.data, { home: first.data.home, work: null });
  const { data } = await graph.ask(`{ me { version addresses { id } } }`, { as });
  assert.equal(data.me.addresses.length, 2);
  assert.equal(data.me.version, 3);
});

Deno.test("the trace of the request is the trace of the events that it causes", async () => {
  await using graph = await startGraph();
  const { ref, as } = await registerShopper(graph.world);
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  await graph.ask(`mutation { updateProfile(input: { firstName: "Ada" }) { customer { id } } }`, {
    as,
    headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
  });
  const rows = await graph.world.admin`
    select payload from outbox where store_id = ${ref.storeId} and payload->>'traceId' = ${traceId}`;
  assert.ok(rows.length > 0);
});

Deno.test("a shopper can neither change the email nor find out whether one is taken", async () => {
  await using graph = await startGraph();
  const { world } = graph;
  await registerShopper(world, { email: "ada@example.com" });
  const { ref, as } = await registerShopper(world);
  const before = await stored(world);
  for (const email of ["Ada@example.com", "free@example.com"]) {
    const mutations = {
      updateProfile: `updateProfile(input: { email: "${email}" }) { customer { id } }`,
      requestRectification: `requestRectification(input: { email: "${email}" }) { request { id } }`,
    };
    for (const [field, mutation] of Object.entries(mutations)) {
      const { codes, text } = await graph.ask(`mutation { ${mutation} }`, { as });
      assert.deepEqual([field, codes], [field, ["GRAPHQL_VALIDATION_FAILED"]]);
      assert.doesNotMatch(text, /example\.com/i);
    }
    // Every edge sends these commands, so that none of them can let a shopper do it.
    const open = { kind: "gdpr_request" as const, storeId: ref.storeId, id: crypto.randomUUID() };
    const corrections = { email };
    for (
      const send of [
        () => tell(world, ref, "profile.update", { email, firstName: "Eve" }, { by: as }),
        () =>
          tell(world, open, "open", { customerId: ref.id, right: "RECTIFICATION", corrections }, { by: as }),
      ]
    ) {
      await assert.rejects(send(), (error: Error & { code: string }) => {
        assert.equal(error.code, "FORBIDDEN");
        assert.match(error.message, /identity-service changes it/);
        assert.doesNotMatch(error.message, /example\.com/i);
        return true;
      });
    }
  }
  assert.deepEqual(await stored(world), before);
});

Deno.test("every change returns the customer with its new version, of which the next change may make use", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const customer = "customer { version firstName addresses { id line1 isDefaultShipping } }";
  const change = async (mutation: string, version: number) => {
    const { data, errors } = await graph.ask(
      `mutation ($version: Int) { change: ${mutation.replace("VERSION", "expectedVersion: $version")} }`,
      { as, variables: { version } },
    );
    assert.equal(errors, undefined);
    return data.change;
  };
  const address = `line1: "Seestrasse 1", city: "Thun", country: "CH", isDefaultShipping: true`;
  const first = await change(`addAddress(input: { ${address} }, VERSION) { address { id } ${customer} }`, 1);
  const second = await change(`addAddress(input: { ${address} }, VERSION) { address { id } ${customer} }`, 2);
  assert.deepEqual(
    second.customer.addresses.map((a: { isDefaultShipping: boolean }) => a.isDefaultShipping),
    [
      false,
      true,
    ],
  );
  const { id } = first.address;
  const moved = await change(
    `updateAddress(id: "${id}", input: { line1: "Quai 2" }, VERSION) { address { line1 } ${customer} }`,
    3,
  );
  assert.deepEqual([moved.address.line1, moved.customer.addresses[0].line1], ["Quai 2", "Quai 2"]);
  const deleted = await change(`deleteAddress(id: "${id}", VERSION) { addressId ${customer} }`, 4);
  assert.deepEqual([deleted.addressId, deleted.customer.addresses.length], [id, 1]);
  const named = await change(`updateProfile(input: { firstName: "Ada" }, VERSION) { ${customer} }`, 5);
  assert.deepEqual([named.customer.firstName, named.customer.version], ["Ada", 6]);
});

Deno.test("assigning a shopper to groups makes no open form out of date", async () => {
  await using graph = await startGraph();
  const { ref, as } = await registerShopper(graph.world);
  const read = async () =>
    (await graph.ask(`{ me { version status shopperGroups { id } } }`, { as })).data.me;
  const { version } = await read();
  const group = await createGroup(graph.world);
  await tell(graph.world, ref, "group.assign", { groupId: group.id });
  assert.deepEqual(await read(), { version, status: "ACTIVE", shopperGroups: [{ id: group.id }] });
  const { data } = await graph.ask(
    `mutation { updateProfile(input: { firstName: "Ada" }, expectedVersion: ${version}) { customer { version } } }`,
    { as },
  );
  assert.deepEqual(data, { updateProfile: { customer: { version: version + 1 } } });
  await tell(graph.world, ref, "group.remove", { groupId: group.id });
  await tell(graph.world, ref, "account.suspend");
  assert.deepEqual(await read(), { version: version + 2, status: "SUSPENDED", shopperGroups: [] });
});
