/** Commands and lookups in process, without a worker, on one database or another. */
import type { ActorRef } from "../../actors/commands.ts";
import { createActors } from "../../actors/mod.ts";
import { openEnclosingPool, openPool } from "../../db/connect.ts";
import { isDistributed } from "../../db/distribution.ts";
import { createLookups } from "../../db/lookups.ts";
import { systemPrincipal } from "../../domain/principal.ts";
import { newTraceparent } from "../../lib/trace_context.ts";
import { requestSettings } from "../actors/settings.ts";

const [STORES, CUSTOMERS_A_STORE] = [20, 20];

export interface Load extends AsyncDisposable {
  customers: readonly ActorRef[];
  update(ref: ActorRef): Promise<unknown>;
  lookUp(ref: ActorRef): Promise<unknown>;
}

/** Registers customers of twenty stores, each in a group and with an address. */
export async function openLoad(url: string): Promise<Load> {
  await using stack = new AsyncDisposableStack();
  const close = (sql: { end(): Promise<void> }) => sql.end();
  const reader = stack.adopt(openPool(url, "customer_reader", 4), close);
  const distributed = await isDistributed(reader);
  const api = stack.adopt((distributed ? openEnclosingPool : openPool)(url, "customer_api", 8), close);
  const actors = createActors(api, { requests: await requestSettings() });
  const lookups = createLookups(reader, distributed);
  const send = (ref: ActorRef, type: string, fields: object) => {
    const context = { by: systemPrincipal(ref.storeId), traceparent: newTraceparent() };
    return actors.sendUnchecked(ref, { type, ...fields }, context);
  };
  const address = { line1: "High Street 1", city: "Springfield", country: "US" };
  const customers = (await Promise.all(Array.from({ length: STORES }, async () => {
    const storeId = crypto.randomUUID();
    const groupId = crypto.randomUUID();
    const group = { name: "Members", priority: 1, priceListId: crypto.randomUUID() };
    await send({ kind: "shopper_group", storeId, id: groupId }, "group.create", group);
    return await Promise.all(Array.from({ length: CUSTOMERS_A_STORE }, async () => {
      const ref: ActorRef = { kind: "customer", storeId, id: crypto.randomUUID() };
      await send(ref, "register", { email: `${ref.id}@example.com` });
      await send(ref, "address.add", address);
      await send(ref, "group.assign", { groupId });
      return ref;
    }));
  }))).flat();
  const owned = stack.move();
  let change = 0;
  return {
    customers,
    update: (ref) => send(ref, "profile.update", { firstName: `Name ${change++}` }),
    lookUp: ({ storeId, id }) => lookups.findCustomerGroups({ storeId, customerId: id }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * Runs calls in a closed loop.
 *
 * @returns calls per second
 */
export async function measure(
  { customers, callers, seconds }: { customers: readonly ActorRef[]; callers: number; seconds: number },
  call: (ref: ActorRef) => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  let calls = 0;
  await Promise.all(Array.from({ length: callers }, async (_, caller) => {
    for (let at = caller; performance.now() - start < seconds * 1_000; at += callers) {
      await call(customers[at % customers.length]!);
      calls++;
    }
  }));
  return calls / (performance.now() - start) * 1_000;
}
