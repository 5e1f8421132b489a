/** Account of a shopper, read and changed through the graph. */
import assert from "node:assert/strict";
import { ADDRESS, createGroup, tell } from "../actors/world.ts";
import { registerShopper, startGraph } from "./server.ts";

const EVERYTHING = `{ me {
  id email firstName lastName phone locale version
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

  const { status, data, errors } = await graph.ask(EVERYTHING, { as });
  assert.equal(errors, undefined);
  assert.equal(status, 200);
  const { addresses, shopperGroups, ...own } = data.me;
  assert.deepEqual(own, { id: ref.id, ...profile, version });
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
    `mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { firstName lastName phone locale version } }`,
    { as, variables: { input: { lastName: "Lovelace", phone: null, locale: "de-ch" } } },
  );
  assert.equal(errors, undefined);
  assert.deepEqual(data.updateProfile, {
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
      updateProfile(input: { firstName: $first, lastName: $last }) { firstName lastName }
    }`,
    { as, variables: { last: "Lovelace" } },
  );
  assert.deepEqual(data.updateProfile, { firstName: "Ada", lastName: "Lovelace" });
});

Deno.test("addresses are added, corrected and deleted; a default moves from one to the other", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const add =
    `mutation ($input: AddAddressInput!) { addAddress(input: $input) { id line2 isDefaultShipping } }`;
  const first = await graph.ask(add, {
    as,
    variables: { input: { ...ADDRESS, line2: "c/o Babbage", isDefaultShipping: true } },
  });
  const second = await graph.ask(add, { as, variables: { input: ADDRESS } });
  const { id } = second.data.addAddress;
  assert.deepEqual(first.data.addAddress, {
    id: first.data.addAddress.id,
    line2: "c/o Babbage",
    isDefaultShipping: true,
  });
  assert.equal(second.data.addAddress.isDefaultShipping, false);

  const updated = await graph.ask(
    `mutation ($id: ID!, $input: UpdateAddressInput!) {
      updateAddress(id: $id, input: $input) { id line1 line2 city postalCode isDefaultShipping }
    }`,
    {
      as,
      variables: {
        id: id.toUpperCase(),
        input: { line1: "Limmatquai 2", postalCode: null, isDefaultShipping: true },
      },
    },
  );
  assert.deepEqual(updated.data.updateAddress, {
    id,
    line1: "Limmatquai 2",
    line2: null,
    city: ADDRESS.city,
    postalCode: null,
    isDefaultShipping: true,
  });

  const deleted = await graph.ask(`mutation ($id: ID!) { deleteAddress(id: $id) }`, {
    as,
    variables: { id },
  });
  assert.deepEqual(deleted.data, { deleteAddress: id });
  const { data } = await graph.ask(`{ me { addresses { id isDefaultShipping } } }`, { as });
  assert.deepEqual(data.me.addresses, [{ id: first.data.addAddress.id, isDefaultShipping: false }]);
});

Deno.test("a change with an outdated version is a conflict and writes nothing", async () => {
  await using graph = await startGraph();
  const { ref, as } = await registerShopper(graph.world, { firstName: "Ada" });
  const rename = (expectedVersion: number) =>
    graph.ask(
      `mutation ($version: Int) {
        updateProfile(input: { firstName: "Augusta" }, expectedVersion: $version) { firstName version }
      }`,
      { as, variables: { version: expectedVersion } },
    );
  const stale = await rename(7);
  assert.deepEqual([stale.status, stale.codes, stale.data], [200, ["CONFLICT"], { updateProfile: null }]);
  assert.match(stale.errors?.[0]?.message ?? "", new RegExp(`${ref.id}.* version 1, not 7`));
  assert.deepEqual((await rename(1)).data.updateProfile, { firstName: "Augusta", version: 2 });
});

Deno.test("a request repeated with its key runs each of its changes once", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const move = (key: string, line1 = "Limmatquai 2") =>
    graph.ask(
      `mutation ($input: AddAddressInput!, $line1: String!) {
        home: addAddress(input: $input) { id line1 }
        work: addAddress(input: { line1: $line1, city: "Bern", country: "CH" }) { id line1 }
      }`,
      { as, variables: { input: ADDRESS, line1 }, headers: { "idempotency-key": key } },
    );
  const first = await move("one");
  assert.equal(first.errors, undefined);
  assert.notEqual(first.data.home.id, first.data.work.id);
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
  await graph.ask(`mutation { updateProfile(input: { firstName: "Ada" }) { id } }`, {
    as,
    headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
  });
  const rows = await graph.world.admin`
    select payload from outbox where store_id = ${ref.storeId} and payload->>'traceId' = ${traceId}`;
  assert.ok(rows.length > 0);
});

Deno.test("an email of another customer is refused, and never quoted", async () => {
  await using graph = await startGraph();
  await registerShopper(graph.world, { email: "ada@example.com" });
  const { as } = await registerShopper(graph.world);
  const { codes, text } = await graph.ask(
    `mutation { updateProfile(input: { email: "Ada@example.com" }) { id } }`,
    { as },
  );
  assert.deepEqual(codes, ["ALREADY_EXISTS"]);
  assert.doesNotMatch(text, /ada@example/i);
});
