/**
 * Customer references of other subgraphs: each customer is loaded once for a request, and their total cost is
 * bounded.
 */
import { entitiesResolver } from "@apollo/subgraph";
import { type GraphQLResolveInfo, Kind } from "graphql";
import { DomainError } from "../domain/errors.ts";
import { parseInput, uuid } from "../domain/input.ts";
import type { Customer } from "../db/lookups.ts";
import type { Account } from "./account.ts";
import type { Caller } from "./caller.ts";
import { createCosts } from "./cost.ts";
import { LIMITS } from "./limits.ts";

/** Reference by which the gateway names a customer of another subgraph. */
export interface Reference {
  __typename: "Customer";
  id?: unknown;
}

interface Spent {
  cost: number;
  /** Own customer of the caller, once it is referenced. */
  own?: Promise<Customer>;
}

export function createEntities(account: Account) {
  const requests = new WeakMap<Caller, Spent>();

  function spentBy(caller: Caller): Spent {
    let spent = requests.get(caller);
    if (!spent) requests.set(caller, spent = { cost: 0 });
    return spent;
  }

  return {
    /** @throws {DomainError} INVALID_INPUT when the request's references exceed LIMITS */
    resolve(representations: Reference[], context: Caller, info: GraphQLResolveInfo) {
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

    /** Refuses one reference at a time: the other entities are still returned. */
    async resolveReference({ id }: Reference, caller: Caller): Promise<Customer> {
      const shopper = await caller.shopper();
      if (parseInput(uuid, id, "give a Customer: id") !== shopper.id) {
        throw new DomainError("FORBIDDEN", `Cannot give customer ${id}: a shopper sees the own account only`);
      }
      return await (spentBy(caller).own ??= account.read(caller));
    },
  };
}

function costOfEach({ fieldNodes, fragments }: GraphQLResolveInfo): number {
  const { costOf } = createCosts(Object.values(fragments));
  return costOf({ kind: Kind.SELECTION_SET, selections: fieldNodes });
}
