/** Pages of the groups: list, members, forms, and who may use them. */
import assert from "node:assert/strict";
import { createGroup, mapConcurrently, register, tell } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { findForm, formOf } from "./html_forms.ts";
import { readLive, shownOn } from "./live_stream.ts";
import { nextPageOf } from "./overview_rows.ts";
import { textOf } from "./request_pages.ts";
import { startInspector } from "./server.ts";

const PATH = "/inspect/groups";

Deno.test("staff create, change and delete groups, and see their members", async (t) => {
  await using inspector = await startInspector();
  const { world, staff } = inspector;
  const manager = staff(["CUSTOMER_MANAGER"]);
  const support = staff(["CUSTOMER_SUPPORT"]);
  const show = async (path = PATH, as = manager) => {
    const response = await inspector.get(path, as);
    const page = await response.text();
    assert.equal(response.status, 200, page);
    return page;
  };
  const priceListId = crypto.randomUUID();
  const entered = { name: "Gold & <b>", priceListId, priority: "7" };
  const create = formOf(await show(), "group.create");

  await t.step("a new group", async () => {
    for (
      const [values, status, message] of [
        [{ name: "" }, 400, /name must not be empty/],
        [{ priority: "" }, 400, /priority is required/],
        [{ priority: "high" }, 400, /priority must be of type/],
        [{ priceListId: "x" }, 400, /priceListId must be a UUID/],
        [{ name: "ada@shop.example" }, 400, /name must not contain an email address/],
      ] as const
    ) {
      const response = await inspector.post(PATH, manager, { ...create.values, ...entered, ...values });
      const page = await response.text();
      assert.equal(response.status, status, page);
      assert.match(page, message);
      const shown = formOf(page, "group.create").values;
      assert.deepEqual(shown, { ...create.values, ...entered, ...values });
    }
    const response = await inspector.post(PATH, manager, { ...create.values, ...entered });
    const page = await show(response.headers.get("location")!);
    assert.match(page, /You created the group\..*<bdi>Gold &amp; &lt;b&gt;<\/bdi>/s);
    const again = await inspector.post(PATH, manager, { ...create.values, ...entered });
    assert.equal(again.status, 409);
    assert.match(await again.text(), /its name belongs to another group/);
  });

  const [{ groupId } = { groupId: "" }] = await world.admin`select group_id from shopper_groups`;
  const path = `${PATH}/${groupId}`;
  const ada = await register(world, { firstName: "Ada", lastName: "Quirrel" });

  await t.step("its members, in the list and on its page, live", async () => {
    const [list, page] = [await show(), await show(path, support)];
    await using ofList = readLive(await inspector.get(`${PATH}/live`, manager));
    await using ofGroup = readLive(await inspector.get(`${path}/live`, support));
    await eventually(() => {
      assert.deepEqual([ofList.received()[0], ofGroup.received()[0]], [shownOn(list), shownOn(page)]);
    });
    await tell(world, ada, "group.assign", { groupId });
    await eventually(() => {
      for (const stream of [ofList, ofGroup]) assert.equal(new Set(stream.received()).size, 2);
    });
    assert.match(textOf(await show()), /Gold &amp; &lt;b&gt; 7 1 /);
    const members = await show(path, support);
    assert.match(members, new RegExp(`href="/inspect/customers/${ada.id}"[^>]*><bdi>Ada Quirrel</bdi>`));
    assert.equal(findForm(members, "group.update"), undefined);
    assert.equal(findForm(await show(PATH, support), "group.create"), undefined);
    // deno-lint-ignore no-explicit-any -- protobuf's JSON
    const [event] = await world.admin<{ payload: any }[]>`
      select payload from outbox where payload ->> 'operation' = 'inspectGroup' order by seq desc limit 1`;
    assert.deepEqual([event?.payload.action, event?.payload.customerIds], ["CUSTOMERS_LISTED", [ada.id]]);
  });

  await t.step("a change, a conflict and a deletion", async () => {
    const form = formOf(await show(path), "group.update");
    const saved = await inspector.post(path, manager, { ...form.values, priority: "9" });
    assert.match(await show(saved.headers.get("location")!), /You changed the group\./);
    const stale = await inspector.post(path, manager, { ...form.values, name: "Silver" });
    assert.equal(stale.status, 412);
    const conflict = await stale.text();
    assert.match(conflict, /Conflict: someone else changed the group first.*Stored now: <bdi>Gold/s);
    assert.match(conflict, /Stored now: <bdi>9<\/bdi>/);
    const removal = formOf(await show(path), "group.delete");
    assert.equal((await inspector.post(path, manager, removal.values)).status, 400);
    const deleted = await inspector.post(path, manager, { ...removal.values, confirmed: "yes" });
    const page = await show(deleted.headers.get("location")!);
    assert.match(page, /You deleted the group\..*, deleted on/s);
    assert.equal(findForm(page, "group.update"), undefined);
    assert.match(await show(), /There is no group/);
    assert.match(await show(`${PATH}?deleted=yes`), /Gold &amp;/);
    const again = await inspector.post(path, manager, { ...form.values, version: "3" });
    assert.equal(again.status, 409);
    assert.match(await again.text(), /it is deleted/);
  });

  await t.step("other stores and foreign forms", async () => {
    const stranger = staff(["STORE_MANAGER"], crypto.randomUUID());
    assert.equal((await inspector.get(path, stranger)).status, 404);
    assert.equal((await inspector.get(`${path}/live`, stranger)).status, 404);
    assert.equal(
      (await inspector.post(path, stranger, { action: "group.delete", confirmed: "yes" })).status,
      404,
    );
    assert.doesNotMatch(await show(`${PATH}?deleted=yes`, stranger), /Gold/);
    assert.equal((await inspector.get(`${PATH}/x`, manager)).status, 404);
    for (const fields of [{ action: "group.create" }, { action: "melt" }]) {
      assert.equal((await inspector.post(path, manager, fields)).status, 400);
    }
  });
});

Deno.test("lists of groups and of members have pages", async () => {
  await using inspector = await startInspector();
  const { world, staff } = inspector;
  const support = staff(["CUSTOMER_SUPPORT"]);
  const refs = await mapConcurrently(Array(51).keys(), () => createGroup(world));
  const group = refs[0]!;
  await mapConcurrently(Array(51).keys(), async () => {
    await tell(world, await register(world), "group.assign", { groupId: group.id });
  });
  for (const [path, link] of [[PATH, "groups"], [`${PATH}/${group.id}`, "customers"]] as const) {
    const ids = new Set<string>();
    for (let next: string | undefined = path; next !== undefined;) {
      const page = await (await inspector.get(next, support)).text();
      for (
        const [, id] of page.matchAll(new RegExp(`class="row-link" href="/inspect/${link}/([\\w-]+)"`, "g"))
      ) {
        ids.add(id!);
      }
      next = nextPageOf(page);
    }
    assert.equal(ids.size, 51, path);
  }
});
