/** The Customer API of the public catalogue: registers a customer, shows it, changes it. */
import { DomainError } from "../../domain/errors.ts";
import { uuid } from "../../domain/input.ts";
import type { Customer, CustomerKey, Lookups } from "../../db/lookups.ts";
import { allow, type Api, createRoute, json, refusals, z } from "../api.ts";
import {
  changeHeaders,
  commandContext,
  creationHeaders,
  etag,
  isKnown,
  readHeaders,
  versioned,
} from "../conditions.ts";
import type { RestOptions } from "../options.ts";
import { bodyOf, CustomerChangesSchema, CustomerSchema, NewCustomerSchema, profileOf } from "./customer.ts";

export const customerPath = z.object({ customerId: uuid });

const tags = ["Customers"];

const register = createRoute({
  operationId: "registerCustomer",
  method: "post",
  path: "/customers",
  summary: "Registers a customer",
  tags,
  middleware: [allow("register customers", "CUSTOMER_MANAGER")] as const,
  request: {
    headers: creationHeaders,
    body: { required: true, content: { "application/json": { schema: NewCustomerSchema } } },
  },
  responses: {
    201: {
      ...json("Registered", CustomerSchema),
      headers: versioned.headers.extend({ location: z.string() }),
    },
    ...refusals("ALREADY_EXISTS", "REFUSED_IN_STATE"),
  },
});

const show = createRoute({
  operationId: "getCustomer",
  method: "get",
  path: "/customers/{customerId}",
  summary: "Shows a customer",
  tags,
  middleware: [allow("read customers", "CUSTOMER_SUPPORT", "CUSTOMER_MANAGER")] as const,
  request: { params: customerPath, headers: readHeaders },
  responses: {
    200: { ...json("The customer", CustomerSchema), ...versioned },
    304: { description: "The customer is at the version that If-None-Match names" },
    ...refusals("NOT_FOUND"),
  },
});

const change = createRoute({
  operationId: "updateCustomer",
  method: "patch",
  path: "/customers/{customerId}",
  summary: "Changes the profile of a customer",
  tags,
  middleware: [allow("change customers", "CUSTOMER_MANAGER")] as const,
  request: {
    params: customerPath,
    headers: changeHeaders,
    body: { required: true, content: { "application/json": { schema: CustomerChangesSchema } } },
  },
  responses: {
    200: { ...json("The customer as it is now", CustomerSchema), ...versioned },
    ...refusals("NOT_FOUND", "ALREADY_EXISTS", "REFUSED_IN_STATE", "CONFLICT"),
  },
});

export function addProfileRoutes(api: Api, { actors, lookups }: RestOptions): void {
  api.openapi(register, async (c) => {
    const { customerId, ...fields } = c.req.valid("json");
    const context = commandContext(c);
    const { by: { storeId, type } } = context;
    if (customerId !== undefined && type !== "SYSTEM") {
      throw new DomainError("FORBIDDEN", "Cannot choose the customerId: only a service may");
    }
    const ref = { kind: "customer", storeId, ...(customerId !== undefined && { id: customerId }) } as const;
    const { id } = await actors.send(ref, { ...profileOf(fields), type: "register" }, context);
    const customer = await findCustomer(lookups, { storeId, customerId: id });
    const headers = { etag: etag(customer.version), location: `/customers/${id}` };
    return c.json(bodyOf(customer), 201, headers);
  });

  api.openapi(show, async (c) => {
    const { customerId } = c.req.valid("param");
    const customer = await findCustomer(lookups, { storeId: c.var.by.storeId, customerId });
    const headers = { etag: etag(customer.version) };
    if (isKnown(c, customer.version)) return c.body(null, 304, headers);
    return c.json(bodyOf(customer), 200, headers);
  });

  api.openapi(change, async (c) => {
    const { customerId } = c.req.valid("param");
    const context = commandContext(c);
    const { storeId } = context.by;
    const command = { ...profileOf(c.req.valid("json")), type: "profile.update" as const };
    await actors.send({ kind: "customer", storeId, id: customerId }, command, context);
    const customer = await findCustomer(lookups, { storeId, customerId });
    return c.json(bodyOf(customer), 200, { etag: etag(customer.version) });
  });
}

/** @throws {DomainError} NOT_FOUND */
export async function findCustomer(lookups: Lookups, key: CustomerKey): Promise<Customer> {
  const customer = await lookups.findCustomer(key);
  if (!customer) throw new DomainError("NOT_FOUND", `Cannot find customer ${key.customerId}`);
  return customer;
}
