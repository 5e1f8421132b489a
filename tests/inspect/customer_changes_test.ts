/** Forms on the page of a customer: what each changes, what is offered, and what is refused. */
import assert from "node:assert/strict";
import type { Principal } from "../../domain/principal.ts";
import { ADDRESS, createGroup, register, shopper, tell } from "../actors/world.ts";
import { findForm, formOf } from "./html_forms.ts";
import { startInspector, type TestInspector } from "./server.ts";

const ADA = { firstName: "Ada", lastName: "Quirrel", phone: "+41445551234", locale: "de-CH" };

async function openPage(inspector: TestInspector, id: string, as: Principal) {
  const path = `/inspect/customers/${id}`;
  const show = async (at = path) => await (await inspector.get(at, as)).text();
  /** Sends the form of the page with other values. */
  const send = async (action: string, values: Record<string, string> = {}, target?: string) => {
    const form = formOf(await show(), action, target);
    return await inspector.post(form.path, as, { ...form.values, ...values });
  };
  /** Sends a form that is accepted, and returns the page that follows. */
  const change = async (action: string, values: Record<string, string> = {}, target?: string) => {
    const response = await send(action, values, target);
    assert.equal(response.status, 303, await response.text());
    return await show(response.headers.get("location")!);
  };
  return await Promise.resolve({ path, show, send, change });
}

Deno.test("each form changes the customer, and the page says what was done", async (t) => {
  await using inspector = await startInspector();
  const { world, staff } = inspector;
  const manager = staff(["CUSTOMER_MANAGER"]);
  const ada = await register(world, ADA);
  const gold = await createGroup(world, { name: "Gold <1>", priority: 7 });
  const { path, show, send, change } = await openPage(inspector, ada.id, manager);
  const row = async () => (await world.admin`select * from customers where customer_id = ${ada.id}`)[0]!;

  await t.step("the profile, from the fields of its one definition", async () => {
    const page = await change("profile.update", { firstName: "Grace", phone: "", email: "g@shop.example" });
    assert.match(page, /role="status">You changed the profile\./);
    const { firstName, lastName, phone, email } = await row();
    assert.deepEqual([firstName, lastName, phone, email], ["Grace", "Quirrel", null, "g@shop.example"]);
    assert.match(await change("profile.update"), /Nothing was changed/);
  });

  await t.step("addresses with their defaults", async () => {
    const { country: _, ...home } = ADDRESS;
    const added = await change("address.add", { ...home, country: " ch", isDefaultShipping: "yes" });
    assert.match(added, /You added an address\..*Bahnhofstrasse 1.*Default for shipping/s);
    const [{ addressId } = { addressId: "" }] = await world.admin`
      select address_id, country from customer_addresses where customer_id = ${ada.id}`;
    const values = formOf(await show(), "address.update", addressId).values;
    assert.deepEqual([values.country, values.isDefaultShipping, values.isDefaultBilling], [
      "CH",
      "yes",
      undefined,
    ]);
    const { isDefaultShipping: _shipping, ...rest } = values;
    const response = await inspector.post(`${path}/changes`, manager, {
      ...rest,
      line2: "c/o Byron",
      isDefaultBilling: "yes",
    });
    const changed = await show(response.headers.get("location")!);
    assert.match(changed, /You changed an address\..*c\/o Byron.*Default for billing/s);
    assert.doesNotMatch(changed, /class="badge">Default for shipping/);
    const unconfirmed = await send("address.delete", {}, addressId);
    assert.equal(unconfirmed.status, 400);
    assert.match(await unconfirmed.text(), /Nothing was changed: check the box to confirm it/);
    const removed = await change("address.delete", { confirmed: "yes" }, addressId);
    assert.match(removed, /You removed an address\..*The customer has no address/s);
  });

  await t.step("groups", async () => {
    const assigned = await change("group.assign", { groupId: gold.id });
    assert.match(assigned, /You assigned a group\..*Gold &lt;1&gt; decides/s);
    assert.match(assigned, /The store has no other group to assign/);
    const removed = await change("group.remove", {}, gold.id);
    assert.match(removed, /You removed the customer from a group\..*is in no group/s);
  });

  await t.step("the account, with a reason and a note", async () => {
    const texts = { reason: "Two invoices\r\nare unpaid", note: "see ticket 12", confirmed: "yes" };
    const suspended = await change("account.suspend", texts);
    assert.match(suspended, /You suspended the account\..*Two invoices are unpaid.*see ticket 12/s);
    assert.equal(findForm(suspended, "account.suspend"), undefined);
    assert.match(await change("account.close", { confirmed: "yes" }), /You closed the account/);
    const reinstated = await change("account.reinstate", { confirmed: "yes" });
    assert.match(reinstated, /You reactivated the account\./);
    assert.equal((await row()).status, "ACTIVE");
  });

  await t.step("the message is for the person who changed it, since an address proves nothing", async () => {
    const colleague = await openPage(inspector, ada.id, staff(["CUSTOMER_MANAGER"]));
    const { version, membershipVersion } = await row();
    const own = `${path}?changed=${version + membershipVersion - 1}`;
    assert.match(await show(own), /role="status">You reactivated/);
    assert.doesNotMatch(await colleague.show(own), /You reactivated the account/);
    assert.doesNotMatch(await show(`${path}?changed=9999`), /class="notice"/);
    assert.equal((await inspector.get(`${path}?changed=x`, manager)).status, 200);
  });
});

Deno.test("only what the state and the role accept is offered", async () => {
  await using inspector = await startInspector();
  const { world, staff } = inspector;
  const ada = await register(world, ADA);
  await createGroup(world);
  await tell(world, ada, "address.add", ADDRESS);
  const offers = async (...roles: Parameters<typeof staff>[0]) => {
    const { show } = await openPage(inspector, ada.id, staff(roles));
    const page = await show();
    const actions = [...page.matchAll(/name="action" value="([^"]*)"/g)].map(([, action]) => action);
    return [...actions, ...(page.includes("Open a request") ? ["open"] : [])].toSorted();
  };
  const OF_ALL_STATES = ["address.delete", "address.update", "profile.update"];
  assert.deepEqual(await offers("CUSTOMER_SUPPORT"), []);
  assert.deepEqual(await offers("PRIVACY_OFFICER"), ["open", "place"]);
  assert.deepEqual(
    await offers("CUSTOMER_MANAGER"),
    ["account.close", "account.suspend", "address.add", ...OF_ALL_STATES, "group.assign"].toSorted(),
  );
  assert.deepEqual(
    await offers("STORE_MANAGER"),
    ["account.close", "account.suspend", "address.add", ...OF_ALL_STATES, "group.assign", "open", "place"]
      .toSorted(),
  );
  await tell(world, ada, "account.suspend");
  assert.deepEqual(
    await offers("CUSTOMER_MANAGER"),
    ["account.close", "account.reinstate", ...OF_ALL_STATES, "group.assign"].toSorted(),
  );
  await tell(world, ada, "account.close");
  assert.deepEqual(await offers("CUSTOMER_MANAGER"), ["account.reinstate", ...OF_ALL_STATES].toSorted());
  await tell(world, ada, "erase", { requestId: crypto.randomUUID() });
  assert.deepEqual(await offers("STORE_MANAGER"), []);
});

Deno.test("a refused form says why, stays filled in, and shows what is stored now", async (t) => {
  await using inspector = await startInspector();
  const { world, staff } = inspector;
  const manager = staff(["CUSTOMER_MANAGER"]);
  const ada = await register(world, ADA);
  await register(world, { email: "taken@shop.example" });
  const { path, show, send } = await openPage(inspector, ada.id, manager);
  const profileOf = async () => formOf(await show(), "profile.update").values;

  for (
    const [action, values, status, message] of [
      [
        "profile.update",
        { phone: "044 555" },
        400,
        /Cannot change the profile of customer .*: phone must be a/,
      ],
      ["profile.update", { email: "" }, 400, /email must not be empty/],
      ["profile.update", { email: "taken@shop.example" }, 409, /its email belongs to another customer/],
      [
        "address.add",
        { line1: "", city: "Bern", country: "Mars" },
        400,
        /line1 must not be empty; country must/,
      ],
      ["account.suspend", { reason: "Ada is late", confirmed: "yes" }, 400, /reason must not contain a name/],
      ["account.close", {}, 400, /check the box to confirm/],
    ] as const
  ) {
    await t.step(`${action} ${Object.keys(values)}`, async () => {
      const response = await send(action, values);
      const page = await response.text();
      assert.equal(response.status, status, page);
      assert.match(page, message);
      assert.match(page, new RegExp(`id="${action.replace(".", "-")}" class="[^"]*" open`));
      const { values: shown } = formOf(page, action);
      const { confirmed: _, ...entered } = values as Record<string, string>;
      for (const [name, value] of Object.entries(entered)) assert.equal(shown[name], value, name);
    });
  }

  await t.step("a field that is wrong is marked", async () => {
    const page = await (await send("profile.update", { phone: "044" })).text();
    assert.match(page, /name="phone"[^>]*aria-invalid="true" aria-describedby="profile-update-phone-error/);
  });

  await t.step("a change of someone else is a conflict, and the second attempt is accepted", async () => {
    const stale = await profileOf();
    await tell(world, ada, "profile.update", { firstName: "Augusta" });
    const refused = await inspector.post(`${path}/changes`, manager, { ...stale, lastName: "King" });
    const page = await refused.text();
    assert.equal(refused.status, 412);
    assert.match(page, /Conflict: someone else changed the customer first/);
    assert.match(page, /Stored now: <bdi>Augusta<\/bdi>/);
    const { values } = formOf(page, "profile.update");
    assert.deepEqual([values.firstName, values.lastName], ["Ada", "King"]);
    const second = await inspector.post(`${path}/changes`, manager, { ...values, firstName: "Augusta" });
    assert.equal(second.status, 303);
  });

  await t.step("an action that the state refuses is refused in the words of the machine", async () => {
    const form = formOf(await show(), "account.suspend");
    await tell(world, ada, "account.suspend");
    const { version: _, ...values }: Record<string, string> = { ...form.values, confirmed: "yes" };
    const response = await inspector.post(`${path}/changes`, manager, values);
    assert.equal(response.status, 409);
    assert.match(await response.text(), /Cannot suspend customer .*: it is suspended\./);
  });

  await t.step("forms that no page has sent, and other callers, are refused", async () => {
    const form = { ...await profileOf(), lastName: "Forged" };
    for (
      const fields of [{ action: "melt" }, { action: "hold.place" }, { ...form, version: "x" }] as Record<
        string,
        string
      >[]
    ) {
      const response = await inspector.post(`${path}/changes`, manager, fields);
      assert.equal(response.status, 400);
      await response.body?.cancel();
    }
    const stranger = staff(["STORE_MANAGER"], crypto.randomUUID());
    const callers = [[stranger, 404], [staff(["CUSTOMER_SUPPORT"]), 403], [inspector.officer, 403], [
      shopper(ada),
      403,
    ]] as const;
    for (const [as, status] of callers) {
      const response = await inspector.post(`${path}/changes`, as, form);
      await response.body?.cancel();
      assert.equal(response.status, status);
    }
    const { origin } = inspector;
    const cookie = `customer-service-inspector=${await inspector.token(manager)}`;
    const forged = await fetch(`${origin}${path}/changes`, {
      method: "POST",
      body: new URLSearchParams(form),
      headers: { cookie, origin },
    });
    assert.equal(forged.status, 403);
    assert.match(await forged.text(), /belongs to another session/);
    const [row] = await world.admin`select last_name from customers where customer_id = ${ada.id}`;
    assert.equal(row?.lastName, "King");
  });
});
