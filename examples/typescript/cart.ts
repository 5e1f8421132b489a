/**
 * cart-service: the price list of a customer, for every display of a cart. Arguments: STORE_ID CUSTOMER_ID.
 * Environment: CUSTOMER_SERVICE (such as 127.0.0.1:50051), CUSTOMER_SERVICE_TOKEN.
 */
import { type ServiceError, status } from "@grpc/grpc-js";
import process from "node:process";
import { CustomerService, PriceListReason } from "./gen/io/shopstar/customer/v1/customer_service_pb.ts";
import { createClient } from "./grpc_client.ts";

const { calls, close } = createClient(
  CustomerService,
  `dns:///${process.env.CUSTOMER_SERVICE}`,
  () => Promise.resolve(process.env.CUSTOMER_SERVICE_TOKEN ?? ""), // from your OpenID client in production
);

/** The price list that applies; undefined: the store's own prices. */
async function findPriceList(storeId: string, customerId: string): Promise<string | undefined> {
  try {
    const groups = await calls.getCustomerGroups({ storeId, customerId }, { timeoutMs: 500 });
    console.log(`${groups.memberships.length} groups, ${PriceListReason[groups.priceListReason]}`);
    return groups.priceListId;
  } catch (error) {
    switch ((error as ServiceError).code) {
      case status.NOT_FOUND: // no such customer: show the cart of a guest
      case status.FAILED_PRECONDITION: // the customer has been erased
      case status.UNAVAILABLE: // tried again already: a cart with the store's prices is better than none,
      case status.DEADLINE_EXCEEDED: // and checkout looks the price list up again
      case status.RESOURCE_EXHAUSTED:
        console.log(`the store's own prices, because of ${status[(error as ServiceError).code]}`);
        return undefined;
      default: // INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED: a mistake of ours
        throw error;
    }
  }
}

const [storeId = "", customerId = ""] = process.argv.slice(2);
console.log(`price list ${await findPriceList(storeId, customerId) ?? "of the store"}`);
close();
