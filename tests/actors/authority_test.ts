/** Authorization: the runtime enforces a table of which principals may send which command. */
import assert from "node:assert/strict";
import { createBehaviors } from "../../actors/mod.ts";
import { type Principal, type RoleName, ROLES } from "../../domain/principal.ts";
import type { ActorKind, ActorRef } from "../../actors/commands.ts";
import { requestSettings } from "./settings.ts";
import { createWorld, tell } from "./world.ts";

const SYSTEM = ["SYSTEM"];
const STAFF = ["STAFF", ...SYSTEM];
const ANYONE = ["CUSTOMER", ...STAFF];
/** Principals of decisions about a request: services make none. */
const PEOPLE = ["STAFF"];
const PRINCIPALS: Record<ActorKind, Record<string, readonly string[]>> = {
  customer: {
    register: STAFF,
    "profile.update": ANYONE,
    "address.add": ANYONE,
    "address.update": ANYONE,
    "address.delete": ANYONE,
    "group.assign": STAFF,
    "group.remove": STAFF,
    "account.suspend": STAFF,
    "account.reinstate": STAFF,
    "account.close": STAFF,
    "account.update": STAFF,
    erase: SYSTEM,
    "hold.place": STAFF,
    "hold.lift": STAFF,
  },
  shopper_group: { "group.create": STAFF, "group.update": STAFF, "group.delete": STAFF },
  gdpr_request: {
    open: ANYONE,
    cancel: ["CUSTOMER", ...PEOPLE],
    hold: PEOPLE,
    release: PEOPLE,
    refuse: PEOPLE,
    extend: PEOPLE,
    retry: PEOPLE,
    waive: PEOPLE,
    "access.closed": SYSTEM,
    "customer.changed": SYSTEM,
    "source.received": SYSTEM,
    "source.failed": SYSTEM,
    compiled: SYSTEM,
    "participant.confirm": SYSTEM,
    verified: SYSTEM,
    confirm: PEOPLE,
    reject: PEOPLE,
    withdraw: PEOPLE,
    "identity.verify": PEOPLE,
    "identity.fail": PEOPLE,
    "information.request": PEOPLE,
    "information.receive": PEOPLE,
    "subject.erased": SYSTEM,
    "subject.request": ["CUSTOMER"],
    proceed: ["CUSTOMER"],
    "export.fetched": ["CUSTOMER"],
    hand_over: PEOPLE,
    "export.destroyed": SYSTEM,
    "download.settled": SYSTEM,
  },
  gdpr_notice: { open: SYSTEM, fall_due: SYSTEM, deliver: SYSTEM, bounce: SYSTEM, waive: PEOPLE },
  store_settings: { "settings.change": STAFF },
};
const WRITERS: Record<ActorKind, readonly RoleName[]> = {
  customer: ["CUSTOMER_MANAGER", "STORE_MANAGER"],
  shopper_group: ["CUSTOMER_MANAGER", "STORE_MANAGER"],
  gdpr_request: ["PRIVACY_OFFICER", "STORE_MANAGER"],
  gdpr_notice: ["PRIVACY_OFFICER", "STORE_MANAGER"],
  store_settings: ["PRIVACY_OFFICER", "STORE_MANAGER"],
};

Deno.test("the table names every command", async () => {
  for (const { kind, creation, handlers } of Object.values(createBehaviors(await requestSettings()))) {
    assert.deepEqual(
      Object.keys(PRINCIPALS[kind as ActorKind]).sort(),
      [...new Set([creation.type, ...Object.keys(handlers)])].sort(),
    );
  }
});

Deno.test("every command is forbidden to every principal that the table does not name, before any lookup", async () => {
  await using world = await createWorld();
  const { storeId } = world;
  for (const [kind, commands] of Object.entries(PRINCIPALS)) {
    const ref: ActorRef = { kind: kind as ActorKind, storeId, id: crypto.randomUUID() };
    for (const [type, permitted] of Object.entries(commands)) {
      const writers = type.startsWith("hold.") ? WRITERS.gdpr_request : WRITERS[ref.kind];
      for (const [name, by, allowed] of principals(ref, permitted, writers)) {
        // No command has this field: a permitted principal gets INVALID_INPUT, and nothing is written.
        const code = allowed ? "INVALID_INPUT" : "FORBIDDEN";
        await assert.rejects(tell(world, ref, type, { unknown: 1 }, { by }), { code }, `${type} by ${name}`);
      }
    }
  }
});

/** Principals of each kind with their names, and whether they may send the command. */
function* principals(
  ref: ActorRef,
  permitted: readonly string[],
  writers: readonly RoleName[],
): Generator<[string, Principal, boolean]> {
  const { storeId, kind } = ref;
  const id = crypto.randomUUID();
  const elsewhere = crypto.randomUUID();
  yield [
    "the customer",
    { id: ref.id, type: "CUSTOMER", storeId, roles: [] },
    may("CUSTOMER"),
  ];
  // The customer of a request is known from its row only, so the input is validated first.
  const passesAuthorization = kind === "gdpr_request" && may("CUSTOMER");
  yield [
    "a customer with a role",
    { id, type: "CUSTOMER", storeId, roles: ["STORE_MANAGER"] },
    passesAuthorization,
  ];
  yield [
    "the customer of another store",
    { id: ref.id, type: "CUSTOMER", storeId: elsewhere, roles: [] },
    false,
  ];
  yield ["staff without a role", { id, type: "STAFF", storeId, roles: [] }, false];
  for (const role of ROLES) {
    const by = { id, type: "STAFF", storeId, roles: [role] } as const;
    yield [role, by, may("STAFF") && writers.includes(role)];
    yield [`${role} of another store`, { ...by, storeId: elsewhere }, false];
  }
  yield ["a service", { id, type: "SYSTEM", storeId, roles: [] }, may("SYSTEM")];
  yield ["a service for another store", { id, type: "SYSTEM", storeId: elsewhere, roles: [] }, false];

  function may(type: string): boolean {
    return permitted.includes(type);
  }
}
