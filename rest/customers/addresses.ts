/** Address book of a customer. Its version is the customer's version. */
import { DomainError } from "../../domain/errors.ts";
import { uuid } from "../../domain/input.ts";
import type { Address, Customer } from "../../db/lookups.ts";
import { allow } from "../access.ts";
import { type Api, createRoute, json, refusals, z } from "../api.ts";
import { sendAndRead } from "../changes.ts";
import {
  changeHeaders,
  commandContext,
  etag,
  isNotModified,
  readHeaders,
  versioned,
} from "../conditional_headers.ts";
import type { RestOptions } from "../options.ts";
import { AddressChangesSchema, AddressSchema, bodyOf, NewAddressSchema } from "./address.ts";
import { customerPath, findCustomer } from "./profile.ts";

const tags = ["Addresses"];
const addressPath = customerPath.extend({ addressId: uuid });
const notModified = { description: "The customer is at the version that If-None-Match names" };

const listAddresses = createRoute({
  operationId: "listAddresses",
  method: "get",
  path: "/customers/{customerId}/addresses",
  summary: "Lists the addresses of a customer, oldest first; the list of an erased customer is empty",
  tags,
  middleware: allow("listAddresses"),
  request: { params: customerPath, headers: readHeaders },
  responses: {
    200: { ...json("All addresses", z.object({ items: z.array(AddressSchema) })), ...versioned },
    304: notModified,
    ...refusals("NOT_FOUND"),
  },
});

const addAddress = createRoute({
  operationId: "addAddress",
  method: "post",
  path: "/customers/{customerId}/addresses",
  summary: "Adds an address; a customer has at most 50",
  description:
    "Repeated under its Idempotency-Key after the address was deleted, it is NOT_FOUND and adds nothing.",
  tags,
  middleware: allow("addAddress"),
  request: {
    params: customerPath,
    headers: changeHeaders,
    body: { required: true, content: { "application/json": { schema: NewAddressSchema } } },
  },
  responses: {
    201: {
      ...json("The new address", AddressSchema),
      headers: versioned.headers.extend({ location: z.string() }),
    },
    ...refusals("NOT_FOUND", "REFUSED_IN_STATE", "CONFLICT"),
  },
});

const getAddress = createRoute({
  operationId: "getAddress",
  method: "get",
  path: "/customers/{customerId}/addresses/{addressId}",
  summary: "Returns an address",
  tags,
  middleware: allow("getAddress"),
  request: { params: addressPath, headers: readHeaders },
  responses: {
    200: { ...json("The address", AddressSchema), ...versioned },
    304: notModified,
    ...refusals("NOT_FOUND"),
  },
});

const updateAddress = createRoute({
  operationId: "updateAddress",
  method: "patch",
  path: "/customers/{customerId}/addresses/{addressId}",
  summary: "Updates an address",
  tags,
  middleware: allow("updateAddress"),
  request: {
    params: addressPath,
    headers: changeHeaders,
    body: { required: true, content: { "application/json": { schema: AddressChangesSchema } } },
  },
  responses: {
    200: { ...json("The updated address", AddressSchema), ...versioned },
    ...refusals("NOT_FOUND", "REFUSED_IN_STATE", "CONFLICT"),
  },
});

const deleteAddress = createRoute({
  operationId: "deleteAddress",
  method: "delete",
  path: "/customers/{customerId}/addresses/{addressId}",
  summary: "Deletes an address",
  description: "NOT_FOUND if the customer has no such address, also at a second DELETE.",
  tags,
  middleware: allow("deleteAddress"),
  request: { params: addressPath, headers: changeHeaders },
  responses: {
    204: { description: "Deleted", ...versioned },
    ...refusals("NOT_FOUND", "REFUSED_IN_STATE", "CONFLICT"),
  },
});

export function addAddressRoutes(api: Api, { actors, lookups }: RestOptions): void {
  api.openapi(listAddresses, async (c) => {
    const { customerId } = c.req.valid("param");
    const { addresses, version } = await findCustomer(c, lookups, customerId);
    const headers = { etag: etag(version) };
    if (isNotModified(c, version)) return c.body(null, 304, headers);
    c.set("answered", { rows: addresses.length });
    return c.json({ items: addresses.map(bodyOf) }, 200, headers);
  });

  api.openapi(addAddress, async (c) => {
    const { customerId } = c.req.valid("param");
    const ref = { kind: "customer", storeId: c.var.by.storeId, id: customerId } as const;
    const { resource, answer, headers } = await sendAndRead(
      c,
      (context) => actors.sendAndRead(ref, { ...c.req.valid("json"), type: "address.add" }, context),
      () => findCustomer(c, lookups, customerId),
    );
    const address = addressOf(resource, answer.ids.addressId ?? "");
    const location = `/customers/${customerId}/addresses/${address.addressId}`;
    return c.json(bodyOf(address), 201, { ...headers, location });
  });

  api.openapi(getAddress, async (c) => {
    const { customerId, addressId } = c.req.valid("param");
    const customer = await findCustomer(c, lookups, customerId);
    const address = addressOf(customer, addressId);
    const headers = { etag: etag(customer.version) };
    if (isNotModified(c, customer.version)) return c.body(null, 304, headers);
    return c.json(bodyOf(address), 200, headers);
  });

  api.openapi(updateAddress, async (c) => {
    const { customerId, addressId } = c.req.valid("param");
    const ref = { kind: "customer", storeId: c.var.by.storeId, id: customerId } as const;
    const command = { ...c.req.valid("json"), addressId, type: "address.update" as const };
    const { resource, headers } = await sendAndRead(
      c,
      (context) => actors.sendAndRead(ref, command, context),
      () => findCustomer(c, lookups, customerId),
    );
    return c.json(bodyOf(addressOf(resource, addressId)), 200, headers);
  });

  api.openapi(deleteAddress, async (c) => {
    const { customerId, addressId } = c.req.valid("param");
    const context = commandContext(c);
    const ref = { kind: "customer", storeId: context.by.storeId, id: customerId } as const;
    const { version } = await actors.send(ref, { type: "address.delete", addressId }, context);
    return c.body(null, 204, { etag: etag(version) });
  });
}

/** @throws {DomainError} NOT_FOUND */
function addressOf({ customerId, addresses }: Customer, addressId: string): Address {
  const address = addresses.find((address) => address.addressId === addressId);
  if (address) return address;
  throw new DomainError("NOT_FOUND", `Cannot find address ${addressId} of customer ${customerId}`);
}
