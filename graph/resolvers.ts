/** Resolvers of the fields in schema.graphql. */
import { GraphQLError, type GraphQLResolveInfo, GraphQLScalarType } from "graphql";
import { GraphQLDateTime } from "graphql-scalars";
import { DomainError } from "../domain/errors.ts";
import type { LinkToExport } from "../actors/gdpr/exports/downloads.ts";
import type { Actors } from "../actors/commands.ts";
import type { RequestLookups } from "../db/gdpr_lookups.ts";
import type { Address, Customer, Lookups, Membership } from "../db/lookups.ts";
import { createAccount } from "./account.ts";
import { type Caller, field } from "./caller.ts";
import { createEntities, type Reference } from "./entities.ts";
import { createOwnRequests } from "./gdpr_requests.ts";
import { createRequestResolvers } from "./gdpr_resolvers.ts";

/** Arguments of a change, as its field declares them. */
interface Change {
  id: string;
  input: Record<string, unknown>;
  expectedVersion?: number | null;
}

export interface ResolverOptions {
  actors: Actors;
  lookups: Lookups;
  requests: RequestLookups;
  exportLink: LinkToExport;
}

export function createResolvers({ actors, lookups, requests, exportLink }: ResolverOptions) {
  const account = createAccount(actors, lookups);
  const entities = createEntities(account);
  const gdpr = createRequestResolvers(createOwnRequests(actors, requests), exportLink);

  async function readAddress(caller: Caller, id: string | undefined): Promise<Address> {
    const { addresses } = await account.read(caller);
    const found = addresses.find(({ addressId }) => addressId === id?.toLowerCase());
    if (!found) throw new DomainError("NOT_FOUND", `Cannot read address ${id}: it has been deleted since`);
    return found;
  }

  return {
    DateTime: GraphQLDateTime,
    _Any: new GraphQLScalarType({ name: "_Any", parseValue: parseReference }),

    Query: {
      ...gdpr.Query,
      me: (_: unknown, __: unknown, caller: Caller) => account.read(caller),
      _entities: (
        _: unknown,
        { representations }: { representations: Reference[] },
        caller: Caller,
        info: Info,
      ) => entities.resolve(representations, caller, info),
    },

    Mutation: {
      ...gdpr.Mutation,
      async updateProfile(_: unknown, { input, expectedVersion }: Change, caller: Caller, info: Info) {
        await account.change(caller, field(info), { ...input, type: "profile.update" }, expectedVersion);
        return await account.read(caller);
      },
      async addAddress(_: unknown, { input, expectedVersion }: Change, caller: Caller, info: Info) {
        const command = { ...input, type: "address.add" };
        const { ids } = await account.change(caller, field(info), command, expectedVersion);
        return await readAddress(caller, ids.addressId);
      },
      async updateAddress(_: unknown, { id, input, expectedVersion }: Change, caller: Caller, info: Info) {
        const command = { type: "address.update", addressId: id, ...input };
        await account.change(caller, field(info), command, expectedVersion);
        return await readAddress(caller, id);
      },
      async deleteAddress(_: unknown, { id, expectedVersion }: Change, caller: Caller, info: Info) {
        await account.change(caller, field(info), { type: "address.delete", addressId: id }, expectedVersion);
        return id.toLowerCase();
      },
    },

    Customer: {
      ...gdpr.Customer,
      __resolveReference: entities.resolveReference,
      id: (customer: Customer) => customer.customerId,
      shopperGroups: (customer: Customer) => customer.groups,
    },
    Address: { id: (address: Address) => address.addressId },
    GdprRequest: gdpr.GdprRequest,
    ShopperGroup: { id: (membership: Membership) => membership.groupId },
  };
}

type Info = GraphQLResolveInfo;

function parseReference(value: unknown): Reference {
  if (
    typeof value === "object" && value !== null && "__typename" in value && value.__typename === "Customer"
  ) {
    return { ...value, __typename: "Customer" };
  }
  throw new GraphQLError("Expected a reference to a Customer.");
}
