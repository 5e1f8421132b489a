/** Shopper group: its commands in both states, and the messages that it publishes. */
import assert from "node:assert/strict";
import type { ActorRef } from "../../actors/commands.ts";
import { createGroup, createWorld, groupRef, register, tell, type World } from "./world.ts";

const VALUES = () => ({ name: crypto.randomUUID(), priceListId: crypto.randomUUID(), priority: 1 });

Deno.test("shopper groups", async (t) => {
  await using world = await createWorld();

  await t.step(
    "creating, changing and deleting a group each write to the journal and to the audit log",
    async () => {
      const ref = groupRef(world);
      await tell(world, ref, "group.create", VALUES(), { by: world.staff });
      await tell(world, ref, "group.update", { priority: 7 }, { by: world.staff });
      const answer = await tell(world, ref, "group.delete", {}, { by: world.staff });
      assert.deepEqual(answer, { id: ref.id, state: "deleted", version: 3, ids: {}, changed: true });
      assert.deepEqual(await messagesOf(world, ref), [
        ["audit.event", "SHOPPER_GROUP_CREATED", undefined, "active", ["name", "priceListId", "priority"]],
        ["audit.event", "SHOPPER_GROUP_UPDATED", "active", "active", ["priority"]],
        ["audit.event", "SHOPPER_GROUP_DELETED", "active", "deleted", ["deletedAt"]],
      ]);
      const journal = await world.admin`
      select event_type, principal_id from actor_events where actor_id = ${ref.id} order by sequence`;
      assert.deepEqual(journal.map((row) => ({ ...row })), [
        { eventType: "group.create", principalId: world.staff.id },
        { eventType: "group.update", principalId: world.staff.id },
        { eventType: "group.delete", principalId: world.staff.id },
      ]);
    },
  );

  await t.step("a deleted group refuses every command and every new member", async () => {
    const ref = await createGroup(world);
    await tell(world, ref, "group.delete");
    const before = await messagesOf(world, ref);
    for (const type of ["group.update", "group.delete"]) {
      await assert.rejects(tell(world, ref, type), { code: "REFUSED_IN_STATE" });
    }
    await assert.rejects(tell(world, ref, "group.create", VALUES()), { code: "ALREADY_EXISTS" });
    const customer = await register(world);
    await assert.rejects(tell(world, customer, "group.assign", { groupId: ref.id }), { code: "NOT_FOUND" });
    assert.deepEqual(await messagesOf(world, ref), before);
  });

  await t.step("a missing group is NOT_FOUND", async () => {
    for (const type of ["group.update", "group.delete"]) {
      await assert.rejects(tell(world, groupRef(world), type), { code: "NOT_FOUND" });
    }
  });

  await t.step("a name is unique in a store, and available again after a deletion", async () => {
    const gold = await createGroup(world, { name: "Gold" });
    const other = await createGroup(world);
    await assert.rejects(createGroup(world, { name: "Gold" }), { code: "ALREADY_EXISTS" });
    await assert.rejects(tell(world, other, "group.update", { name: "Gold" }), { code: "ALREADY_EXISTS" });
    await tell(world, gold, "group.delete");
    await tell(world, other, "group.update", { name: "Gold" });
  });

  await t.step(
    "a concurrent assignment is stored before the deletion of the group or refused",
    async () => {
      for (let round = 0; round < 10; round++) {
        const group = await createGroup(world);
        const customer = await register(world);
        const [assignment] = await Promise.allSettled([
          tell(world, customer, "group.assign", { groupId: group.id }),
          tell(world, group, "group.delete"),
        ]);
        if (assignment.status === "rejected") assert.equal(assignment.reason.code, "NOT_FOUND");
        // In either order, the deletion has an effect that ends the remaining memberships.
        const [row] = await world.admin`
        select (select count(*)::int from effects where actor_id = ${group.id}) as effects,
          (select count(*)::int from customer_group_memberships where group_id = ${group.id}) as members`;
        assert.deepEqual({ ...row }, { effects: 1, members: assignment.status === "fulfilled" ? 1 : 0 });
      }
    },
  );
});

/** Reads the messages of a group: topic, action, states before and after, and changed fields. */
async function messagesOf({ admin }: World, { id }: ActorRef) {
  const rows = await admin`
    select topic, payload->>'action' as action, payload->'before'->>'state' as before,
      payload->'after'->>'state' as after, payload->'changedFields' as fields
    from outbox where key = ${id} order by seq`;
  return rows.map((
    { topic, action, before, after, fields },
  ) => [topic, action, before ?? undefined, after, fields]);
}
