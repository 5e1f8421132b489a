/** Lookup methods of CustomerService. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { z } from "zod";
import { DomainError } from "../domain/errors.ts";
import { parseInput, uuid } from "../domain/input.ts";
import { findPriceList, type PriceListReason } from "../actors/customers/price_list.ts";
import type { Address, CustomerKey, CustomerStatus, Lookups } from "../db/lookups.ts";
import {
  type AddressSchema,
  CustomerStatus as Status,
  GetCustomerGroupsResponseSchema,
  GetCustomerSnapshotResponseSchema,
  PriceListReason as Reason,
} from "../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import { type CallContext, type CustomerMethods, requireStore } from "./contract.ts";

export function createLookupMethods(
  lookups: Lookups,
): Pick<CustomerMethods, "getCustomerGroups" | "getCustomerSnapshot"> {
  return {
    async getCustomerGroups(request, context) {
      const key = askedKey(request, context);
      const { memberships, priceListId, reason, status } = await findPriceList(lookups, key, context.wanted);
      return create(GetCustomerGroupsResponseSchema, {
        memberships: memberships.map((membership) => ({
          ...membership,
          assignedAt: timestampFromMs(membership.assignedAt),
        })),
        priceListId,
        priceListReason: REASONS[reason],
        status: STATUSES[status],
      });
    },

    async getCustomerSnapshot(request, context) {
      const key = askedKey(request, context);
      const customer = await lookups.findCustomer(key, context.wanted);
      if (!customer) throw unknown(key);
      if (customer.anonymizedAt || customer.email === null) throw anonymized(key);
      const { addresses } = customer;
      return create(GetCustomerSnapshotResponseSchema, {
        customerId: customer.customerId,
        email: customer.email,
        firstName: customer.firstName ?? undefined,
        lastName: customer.lastName ?? undefined,
        locale: customer.locale ?? undefined,
        defaultShippingAddress: addressMessage(addresses.find((address) => address.isDefaultShipping)),
        defaultBillingAddress: addressMessage(addresses.find((address) => address.isDefaultBilling)),
        status: STATUSES[customer.status],
        version: customer.version,
      });
    },
  };
}

const REASONS: Record<PriceListReason, Reason> = {
  NO_GROUP: Reason.NO_GROUP,
  ONLY_GROUP: Reason.ONLY_GROUP,
  HIGHEST_PRIORITY: Reason.HIGHEST_PRIORITY,
  EARLIEST_ASSIGNED: Reason.EARLIEST_ASSIGNED,
  LOWEST_GROUP_ID: Reason.LOWEST_GROUP_ID,
};

const STATUSES: Record<CustomerStatus, Status> = {
  ACTIVE: Status.ACTIVE,
  SUSPENDED: Status.SUSPENDED,
  CLOSED: Status.CLOSED,
};

/** With the names of the contract, which the error message repeats. */
const CUSTOMER_KEY = z.object({ customer_id: uuid, store_id: uuid });

/** Returns the key of the requested customer, in a store that the caller may read. */
function askedKey(request: CustomerKey, context: CallContext): CustomerKey {
  const named = { customer_id: request.customerId, store_id: request.storeId };
  const { customer_id: customerId, store_id: storeId } = parseInput(
    CUSTOMER_KEY,
    named,
    "look up the customer",
  );
  requireStore(context, storeId);
  return { customerId, storeId };
}

function unknown({ storeId, customerId }: CustomerKey): DomainError {
  return new DomainError(
    "NOT_FOUND",
    `Cannot find customer ${customerId}: store ${storeId} has none of this id`,
  );
}

function anonymized({ customerId }: CustomerKey): DomainError {
  return new DomainError("REFUSED_IN_STATE", `Cannot look up customer ${customerId}: it has been erased`);
}

function addressMessage(address: Address | undefined): MessageInitShape<typeof AddressSchema> | undefined {
  if (!address) return undefined;
  const { addressId, line1, line2, city, state, country, postalCode } = address;
  return {
    addressId,
    line1,
    line2: line2 ?? undefined,
    city,
    state: state ?? undefined,
    country,
    postalCode: postalCode ?? undefined,
  };
}
