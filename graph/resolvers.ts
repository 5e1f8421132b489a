/** Resolvers of the fields in schema.graphql. */
import { GraphQLError, type GraphQLResolveInfo, GraphQLScalarType } from "graphql";
import { GraphQLDateTime } from "graphql-scalars";
import { DomainError } from "../domain/errors.ts";
import type { Actors } from "../actors/commands.ts";
import type { RequestLookups } from "../db/gdpr_lookups.ts";
import type { Address, Customer, Lookups, Membership } from "../db/lookups.ts";
import { createAccount } from "./account.ts";
import { field, type GraphCaller } from "./caller.ts";
import { createEntities, isReference, type Reference } from "./entities.ts";
import { createOwnRequests } from "./gdpr_requests.ts";
import { createRequestResolvers, type RequestLinks } from "./gdpr_resolvers.ts";
import { addressFields, type Input, parseId } from "./inputs.ts";

/** Arguments of a change, as its field declares them. */
interface Change {
  id: string;
  input: Input;
  expectedVersion?: number | null;
}

export interface ResolverOptions extends RequestLinks {
  actors: Actors;
  lookups: Lookups;
  requests: RequestLookups;
}

export function createResolvers({ actors, lookups, requests, ...links }: ResolverOptions) {
  const account = createAccount(actors, lookups);
  const entities = createEntities(account);
  const gdpr = createRequestResolvers(account, createOwnRequests(actors, requests), links);

  return {
    DateTime: GraphQLDateTime,
    _Any: new GraphQLScalarType({ name: "_Any", parseValue: parseReference }),

    Query: {
      ...gdpr.Query,
      me: (_: unknown, __: unknown, caller: GraphCaller) => account.read(caller),
      _entities: (
        _: unknown,
        { representations }: { representations: Reference[] },
        caller: GraphCaller,
        info: Info,
      ) => entities.resolve(representations, caller, info),
    },

    Mutation: {
      ...gdpr.Mutation,
      async updateProfile(_: unknown, { input, expectedVersion }: Change, caller: GraphCaller, info: Info) {
        const command = { ...input, type: "profile.update" };
        const { customer } = await account.change(caller, field(info), command, expectedVersion);
        return { customer };
      },
      async addAddress(_: unknown, { input, expectedVersion }: Change, caller: GraphCaller, info: Info) {
        const command = { ...addressFields(input), type: "address.add" };
        const { answer, customer } = await account.change(caller, field(info), command, expectedVersion);
        return { customer, address: addressOf(customer, answer.ids.addressId) };
      },
      async updateAddress(
        _: unknown,
        { id, input, expectedVersion }: Change,
        caller: GraphCaller,
        info: Info,
      ) {
        const addressId = parseId(id, "change an address");
        const command = { ...addressFields(input), type: "address.update", addressId };
        const { customer } = await account.change(caller, field(info), command, expectedVersion);
        return { customer, address: addressOf(customer, addressId) };
      },
      async deleteAddress(_: unknown, { id, expectedVersion }: Change, caller: GraphCaller, info: Info) {
        const addressId = parseId(id, "delete an address");
        const command = { type: "address.delete", addressId };
        const { customer } = await account.change(caller, field(info), command, expectedVersion);
        return { customer, addressId };
      },
    },

    Customer: {
      ...gdpr.Customer,
      __resolveReference: entities.resolveCustomer,
      id: (customer: Customer) => customer.customerId,
      shopperGroups: (customer: Customer) => customer.groups,
    },
    CustomerAddress: {
      __resolveReference: entities.resolveAddress,
      id: (address: Address) => address.addressId,
    },
    GdprRequest: gdpr.GdprRequest,
    GdprRequestPayload: gdpr.GdprRequestPayload,
    ShopperGroup: {
      __resolveReference: entities.resolveGroup,
      id: (membership: Membership) => membership.groupId,
    },
  };
}

type Info = GraphQLResolveInfo;

/** @throws {DomainError} NOT_FOUND: a repeated request finds that the address has been deleted */
function addressOf({ addresses }: Customer, id: string | undefined): Address {
  const address = addresses.find(({ addressId }) => addressId === id);
  if (address) return address;
  throw new DomainError("NOT_FOUND", `Cannot read address ${id}: it has been deleted since`);
}

function parseReference(value: unknown): Reference {
  if (isReference(value)) return value;
  throw new GraphQLError("Expected a reference to an entity of this subgraph.");
}
