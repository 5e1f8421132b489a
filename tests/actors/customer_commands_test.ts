import assert from "node:assert/strict";
import { createLookups } from "../../db/lookups.ts";
import { ADDRESS, createGroup, createWorld, customerRef, register, shopper, tell } from "./world.ts";

Deno.test("customer commands", async (t) => {
  await using world = await createWorld();
  const lookups = createLookups(world.database.pool("customer_reader"));
  const find = (customerId: string) => lookups.findCustomer({ storeId: world.storeId, customerId });

  await t.step("a registered customer is active at version 1, with the given values", async () => {
    const ref = customerRef(world);
    const profile = {
      email: "Ada@Example.com",
      firstName: "Ada",
      lastName: "Lovelace",
      phone: "+41445551234",
      locale: "de-ch",
    };
    assert.deepEqual(await tell(world, ref, "register", profile), {
      id: ref.id,
      state: "active",
      version: 1,
      ids: {},
      changed: true,
    });
    const customer = await find(ref.id);
    assert.equal(customer?.email, "Ada@Example.com");
    assert.equal(customer?.locale, "de-CH", "canonical spelling");
    assert.equal(customer?.status, "ACTIVE");
  });

  await t.step(
    "a profile update changes the given fields, clears null fields and keeps the others",
    async () => {
      const ref = await register(world, { firstName: "Grace", phone: "+41445551234" });
      const answer = await tell(world, ref, "profile.update", { lastName: "Hopper", phone: null }, {
        by: shopper(ref),
      });
      assert.equal(answer.version, 2);
      const customer = await find(ref.id);
      assert.deepEqual([customer?.firstName, customer?.lastName, customer?.phone], ["Grace", "Hopper", null]);
    },
  );

  await t.step("a new default address replaces the previous default", async () => {
    const ref = await register(world);
    const first = await tell(world, ref, "address.add", {
      ...ADDRESS,
      isDefaultShipping: true,
      isDefaultBilling: true,
    });
    const second = await tell(world, ref, "address.add", { ...ADDRESS, isDefaultShipping: true });
    const customer = await find(ref.id);
    assert.deepEqual(
      customer?.addresses.map((
        address,
      ) => [address.addressId, address.isDefaultShipping, address.isDefaultBilling]),
      [[first.ids.addressId, false, true], [second.ids.addressId, true, false]],
    );
  });

  await t.step("a membership stores the principal that assigned it", async () => {
    const ref = await register(world);
    const group = await createGroup(world);
    await tell(world, ref, "group.assign", { groupId: group.id }, { by: world.staff });
    const [row] = await world
      .admin`select assigned_by from customer_group_memberships where customer_id = ${ref.id}`;
    assert.equal(row?.assignedBy, world.staff.id);
  });

  await t.step("a refusal names the state and the guard", async () => {
    const ref = await register(world);
    await tell(world, ref, "account.suspend");
    const own = { by: shopper(ref) };
    await assert.rejects(tell(world, ref, "profile.update", { firstName: "Ada" }, own), {
      message:
        `Cannot change the profile of customer ${ref.id}: it is suspended; the customer may not until the account is active again`,
    });
    await assert.rejects(tell(world, ref, "address.add", ADDRESS), {
      message: `Cannot add an address to customer ${ref.id}: it is suspended`,
    });
  });

  await t.step("an erased customer keeps its row without personal values", async () => {
    const ref = await register(world, { firstName: "Alan", phone: "+41445551234" });
    await tell(world, ref, "address.add", ADDRESS);
    await tell(world, ref, "erase", { requestId: crypto.randomUUID() });
    const customer = await find(ref.id);
    assert.equal(customer?.email, null);
    assert.ok(customer?.anonymizedAt);
    await assert.rejects(tell(world, ref, "profile.update", { firstName: "Alan" }), {
      code: "REFUSED_IN_STATE",
    });
  });
});
