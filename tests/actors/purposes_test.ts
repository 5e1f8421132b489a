/** Messages of refused commands: what a command does in words, never its name, a kind's name or a raw state. */
import assert from "node:assert/strict";
import { createBehaviors } from "../../actors/mod.ts";
import type { ActorKind, ActorRef } from "../../actors/commands.ts";
import type { Principal } from "../../domain/principal.ts";
import { requestSettings } from "./settings.ts";
import { createWorld, register, tell, type World } from "./world.ts";

/** A dotted command or event, an identifier with an underscore, or JSON. */
const INTERNAL = /\b[a-z]+\.[a-z]+\b|[a-z]_[a-z]|[{}]/;

Deno.test("every refusal of every command is worded without internal names", async () => {
  await using world = await createWorld();
  const { storeId, staff, system } = world;
  const officer: Principal = { ...staff, roles: ["PRIVACY_OFFICER"] };
  const messages: string[] = [];
  const collect = async (sent: Promise<unknown>) => {
    const error = await sent.then(() => undefined, (error) => error);
    if (error) messages.push(error.message);
  };
  for (const { kind, noun, creation, handlers } of Object.values(createBehaviors(await requestSettings()))) {
    for (const type of [creation.type, ...Object.keys(handlers)]) {
      const ref: ActorRef = { kind: kind as ActorKind, storeId, id: crypto.randomUUID() };
      const before = messages.length;
      await collect(tell(world, ref, type, { unknown: 1 }));
      await collect(tell(world, { ...ref, id: "7" }, type));
      await collect(tell(world, ref, type, {}, { by: { ...system, storeId: crypto.randomUUID() } }));
      await collect(tell(world, ref, type, {}, { by: { ...officer, roles: [] } }));
      await collect(tell(world, ref, type, {}, { idempotencyKey: "" }));
      assert.ok(messages.length >= before + 4, `${type} of ${noun}`);
    }
    await collect(tell(world, { kind: kind as ActorKind, storeId, id: crypto.randomUUID() }, "melt"));
  }
  await refusedInStates(world, collect);
  assert.ok(messages.some((message) => message.includes("it has not started")));
  assert.ok(messages.some((message) => message.includes("it is completed")));
  assert.ok(messages.some((message) => message.includes("has been erased")));
  const withoutIds = messages.map((message) => message.replaceAll(/[0-9a-f-]{36}/g, "…"));
  assert.deepEqual([...new Set(withoutIds.filter((message) => INTERNAL.test(message)))], []);
  assert.deepEqual(withoutIds.filter((message) => !message.startsWith("Cannot ")), []);
});

/** Commands to a customer and a request that do not accept them. */
async function refusedInStates(world: World, collect: (sent: Promise<unknown>) => Promise<void>) {
  const ref = await register(world);
  const stale = { expectedVersion: 7 };
  await collect(tell(world, ref, "profile.update", { firstName: "Ada" }, stale));
  await collect(tell(world, ref, "account.reinstate"));
  const { id } = await tell(
    world,
    { kind: "gdpr_request", storeId: ref.storeId, id: crypto.randomUUID() },
    "open",
    { customerId: ref.id, right: "ACCESS" },
  );
  const request: ActorRef = { kind: "gdpr_request", storeId: ref.storeId, id };
  await tell(world, request, "cancel");
  await collect(tell(world, request, "cancel"));
  const other = await tell(
    world,
    { kind: "gdpr_request", storeId: ref.storeId, id: crypto.randomUUID() },
    "open",
    { customerId: ref.id, right: "ACCESS" },
  );
  await collect(tell(world, { ...request, id: other.id }, "release"));
  await collect(tell(world, { ...request, id: other.id }, "verified", { residue: 0 }));
  const gone = await register(world);
  await tell(world, gone, "erase", { requestId: crypto.randomUUID() });
  await collect(tell(world, gone, "profile.update", { firstName: "Ada" }));
  await collect(
    tell(world, { ...request, id: crypto.randomUUID() }, "open", { customerId: gone.id, right: "ACCESS" }),
  );
}
