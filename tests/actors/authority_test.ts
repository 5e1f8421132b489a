/** Every command there is, told by everybody: who may is a table here, and the runtime holds all to it. */
import assert from "node:assert/strict";
import { createBehaviors } from "../../actors/mod.ts";
import { type Principal, type RoleName, ROLES } from "../../domain/principal.ts";
import type { ActorKind, ActorRef } from "../../actors/commands.ts";
import { requestSettings } from "./settings.ts";
import { createWorld, tell } from "./world.ts";

const SYSTEM = ["SYSTEM"];
const STAFF = ["STAFF", ...SYSTEM];
const ANYBODY = ["CUSTOMER", ...STAFF];
/** Decisions about a request: services make none. */
const PEOPLE = ["STAFF"];
const WHO: Record<ActorKind, Record<string, readonly string[]>> = {
  customer: {
    register: STAFF,
    "profile.update": ANYBODY,
    "address.add": ANYBODY,
    "address.update": ANYBODY,
    "address.delete": ANYBODY,
    "group.assign": STAFF,
    "group.remove": STAFF,
    "account.suspend": STAFF,
    "account.reinstate": STAFF,
    "account.close": STAFF,
    erase: SYSTEM,
  },
  shopper_group: { "group.create": STAFF, "group.update": STAFF, "group.delete": STAFF },
  gdpr_request: {
    open: ANYBODY,
    cancel: ["CUSTOMER", ...PEOPLE],
    hold: PEOPLE,
    release: PEOPLE,
    refuse: PEOPLE,
    extend: PEOPLE,
    retry: PEOPLE,
    waive: PEOPLE,
    "access.closed": SYSTEM,
    "source.received": SYSTEM,
    "source.failed": SYSTEM,
    compiled: SYSTEM,
    "participant.confirm": SYSTEM,
    verified: SYSTEM,
  },
};
const WRITERS: Record<ActorKind, readonly RoleName[]> = {
  customer: ["CUSTOMER_MANAGER", "STORE_MANAGER"],
  shopper_group: ["CUSTOMER_MANAGER", "STORE_MANAGER"],
  gdpr_request: ["PRIVACY_OFFICER", "STORE_MANAGER"],
};

Deno.test("the table names every command", async () => {
  for (const { kind, creation, handlers } of Object.values(createBehaviors(await requestSettings()))) {
    assert.deepEqual(
      Object.keys(WHO[kind as ActorKind]).sort(),
      [creation.type, ...Object.keys(handlers)].sort(),
    );
  }
});

Deno.test("every command is refused to everybody whom the table does not name, before anything is looked up", async () => {
  await using world = await createWorld();
  const { storeId } = world;
  for (const [kind, commands] of Object.entries(WHO)) {
    const ref: ActorRef = { kind: kind as ActorKind, storeId, id: crypto.randomUUID() };
    for (const [type, who] of Object.entries(commands)) {
      for (const [whom, by, allowed] of principals(ref, who)) {
        // A field that no command knows: whoever may send the command learns of that, and nothing is written.
        const code = allowed ? "INVALID_INPUT" : "FORBIDDEN";
        await assert.rejects(tell(world, ref, type, { unknown: 1 }, { by }), { code }, `${type} by ${whom}`);
      }
    }
  }
});

/** Somebody of each kind, and whether the command is for them. */
function* principals(ref: ActorRef, who: readonly string[]): Generator<[string, Principal, boolean]> {
  const { storeId, kind } = ref;
  const id = crypto.randomUUID();
  const elsewhere = crypto.randomUUID();
  yield [
    "the customer",
    { id: ref.id, type: "CUSTOMER", storeId, roles: [] },
    may("CUSTOMER"),
  ];
  // Whose a request is stands in its row: who is nobody's concern is refused there, and not before.
  const stranger = kind === "gdpr_request" && may("CUSTOMER");
  yield ["a customer with a role", { id, type: "CUSTOMER", storeId, roles: ["STORE_MANAGER"] }, stranger];
  yield [
    "the customer of another store",
    { id: ref.id, type: "CUSTOMER", storeId: elsewhere, roles: [] },
    false,
  ];
  yield ["staff without a role", { id, type: "STAFF", storeId, roles: [] }, false];
  for (const role of ROLES) {
    const by = { id, type: "STAFF", storeId, roles: [role] } as const;
    yield [role, by, may("STAFF") && WRITERS[kind].includes(role)];
    yield [`${role} of another store`, { ...by, storeId: elsewhere }, false];
  }
  yield ["a service", { id, type: "SYSTEM", storeId, roles: [] }, may("SYSTEM")];
  yield ["a service for another store", { id, type: "SYSTEM", storeId: elsewhere, roles: [] }, false];

  function may(type: string): boolean {
    return who.includes(type);
  }
}
