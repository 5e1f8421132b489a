/**
 * References of other subgraphs to a customer and its parts: the customer is loaded once for a request, and the total
 * cost is bounded.
 */
import { entitiesResolver } from "@apollo/subgraph";
import { type GraphQLResolveInfo, Kind } from "graphql";
import { DomainError } from "../domain/errors.ts";
import type { Address, Customer, Membership } from "../db/lookups.ts";
import type { Account } from "./account.ts";
import type { GraphCaller } from "./caller.ts";
import { createCosts } from "./cost.ts";
import { parseId } from "./inputs.ts";
import { LIMITS } from "./limits.ts";

const TYPES = ["Customer", "CustomerAddress", "ShopperGroup"] as const;

/** Reference by which the gateway names an entity of this subgraph. */
export interface Reference {
  __typename: (typeof TYPES)[number];
  id?: unknown;
}

export function isReference(value: unknown): value is Reference {
  return typeof value === "object" && value !== null && "__typename" in value &&
    TYPES.some((type) => type === value.__typename);
}

interface Spent {
  cost: number;
  /** Own customer of the caller, once it is referenced. */
  own?: Promise<Customer>;
}

export function createEntities(account: Account) {
  const requests = new WeakMap<GraphCaller, Spent>();

  function spentBy(caller: GraphCaller): Spent {
    let spent = requests.get(caller);
    if (!spent) requests.set(caller, spent = { cost: 0 });
    return spent;
  }

  return {
    /** @throws {DomainError} INVALID_INPUT when the request's references exceed LIMITS */
    resolve(representations: Reference[], context: GraphCaller, info: GraphQLResolveInfo) {
      const spent = spentBy(context);
      spent.cost += representations.length * costOfEach(info);
      if (representations.length > LIMITS.entities) {
        throw new DomainError("INVALID_INPUT", `Cannot give more than ${LIMITS.entities} entities at once`);
      }
      if (spent.cost > LIMITS.entitiesCost) {
        const reason = `entities times the cost of each must not be more than ${LIMITS.entitiesCost}`;
        throw new DomainError("INVALID_INPUT", `Cannot give so much of so many entities: ${reason}`);
      }
      return entitiesResolver({ representations, context, info });
    },

    // Each of these refuses one reference at a time: the other entities are still returned.

    /** @throws {DomainError} INVALID_INPUT, FORBIDDEN for any customer but the caller, what Account.read throws */
    async resolveCustomer({ id }: Reference, caller: GraphCaller): Promise<Customer> {
      const shopper = await caller.shopper();
      if (parseId(id, "read a customer") !== shopper.id) {
        throw new DomainError("FORBIDDEN", `Cannot read customer ${id}: a shopper sees the own account only`);
      }
      return await ownCustomer(caller);
    },

    /** @throws {DomainError} INVALID_INPUT, NOT_FOUND for any address but the caller's, what Account.read throws */
    async resolveAddress({ id }: Reference, caller: GraphCaller): Promise<Address> {
      const addressId = parseId(id, "read an address");
      const { addresses } = await ownCustomer(caller);
      const address = addresses.find((address) => address.addressId === addressId);
      if (address) return address;
      throw new DomainError("NOT_FOUND", `Cannot find address ${addressId} in the own address book`);
    },

    /** @throws {DomainError} INVALID_INPUT, NOT_FOUND for any group but the caller's, what Account.read throws */
    async resolveGroup({ id }: Reference, caller: GraphCaller): Promise<Membership> {
      const groupId = parseId(id, "read a shopper group");
      const { groups } = await ownCustomer(caller);
      const membership = groups.find((group) => group.groupId === groupId);
      if (membership) return membership;
      throw new DomainError("NOT_FOUND", `Cannot find shopper group ${groupId} among the own groups`);
    },
  };

  async function ownCustomer(caller: GraphCaller): Promise<Customer> {
    return await (spentBy(caller).own ??= account.read(caller));
  }
}

function costOfEach({ fieldNodes, fragments }: GraphQLResolveInfo): number {
  const { costOf } = createCosts(Object.values(fragments));
  return costOf({ kind: Kind.SELECTION_SET, selections: fieldNodes });
}
