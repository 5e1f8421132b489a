/** Profiles of customers: routes to register, read and update a customer. */
import { DomainError } from "../../domain/errors.ts";
import { uuid } from "../../domain/input.ts";
import type { Customer, Lookups } from "../../db/lookups.ts";
import { allow, authorizeOperation } from "../access.ts";
import { type Api, type ApiContext, createRoute, json, refusals, z } from "../api.ts";
import { sendAndRead } from "../changes.ts";
import {
  changeHeaders,
  creationHeaders,
  etag,
  isClientWaiting,
  isNotModified,
  readHeaders,
  versioned,
} from "../conditional_headers.ts";
import type { RestOptions } from "../options.ts";
import { bodyOf, CustomerChangesSchema, CustomerSchema, NewCustomerSchema, profileOf } from "./customer.ts";

export const customerPath = z.object({ customerId: uuid });

const tags = ["Customers"];

const registerCustomer = createRoute({
  operationId: "registerCustomer",
  method: "post",
  path: "/customers",
  summary: "Registers a customer",
  tags,
  middleware: allow("registerCustomer"),
  request: {
    headers: creationHeaders,
    body: { required: true, content: { "application/json": { schema: NewCustomerSchema } } },
  },
  responses: {
    201: {
      ...json("The registered customer", CustomerSchema),
      headers: versioned.headers.extend({ location: z.string() }),
    },
    ...refusals("ALREADY_EXISTS", "REFUSED_IN_STATE"),
  },
});

const getCustomer = createRoute({
  operationId: "getCustomer",
  method: "get",
  path: "/customers/{customerId}",
  summary: "Returns a customer",
  tags,
  middleware: allow("getCustomer"),
  request: { params: customerPath, headers: readHeaders },
  responses: {
    200: { ...json("The customer", CustomerSchema), ...versioned },
    304: { description: "The customer is at the version that If-None-Match names" },
    ...refusals("NOT_FOUND"),
  },
});

const updateCustomer = createRoute({
  operationId: "updateCustomer",
  method: "patch",
  path: "/customers/{customerId}",
  summary: "Updates the profile and the status of a customer",
  tags,
  middleware: allow("updateCustomer"),
  request: {
    params: customerPath,
    headers: changeHeaders,
    body: { required: true, content: { "application/json": { schema: CustomerChangesSchema } } },
  },
  responses: {
    200: { ...json("The updated customer", CustomerSchema), ...versioned },
    ...refusals("NOT_FOUND", "ALREADY_EXISTS", "REFUSED_IN_STATE", "CONFLICT"),
  },
});

export function addProfileRoutes(api: Api, { actors, lookups }: RestOptions): void {
  api.openapi(registerCustomer, async (c) => {
    const { storeId, type } = c.var.by;
    // A sign-up at the identity service is the person's own act.
    const { customerId, returning = type === "SYSTEM", ...fields } = c.req.valid("json");
    if (customerId !== undefined && type !== "SYSTEM") {
      throw new DomainError("FORBIDDEN", "Cannot choose the customerId: only services may choose one");
    }
    const ref = { kind: "customer", storeId, ...(customerId !== undefined && { id: customerId }) } as const;
    const { resource, headers } = await sendAndRead(
      c,
      (context) => actors.sendAndRead(ref, { ...profileOf(fields), returning, type: "register" }, context),
      (id) => findCustomer(c, lookups, id),
    );
    c.set("answered", { ...c.var.answered, customerId: resource.customerId });
    return c.json(bodyOf(resource), 201, { ...headers, location: `/customers/${resource.customerId}` });
  });

  api.openapi(getCustomer, async (c) => {
    const { customerId } = c.req.valid("param");
    const customer = await findCustomer(c, lookups, customerId);
    const headers = { etag: etag(customer.version) };
    if (isNotModified(c, customer.version)) return c.body(null, 304, headers);
    return c.json(bodyOf(customer), 200, headers);
  });

  api.openapi(updateCustomer, async (c) => {
    const { customerId } = c.req.valid("param");
    const ref = { kind: "customer", storeId: c.var.by.storeId, id: customerId } as const;
    const { customerId: ownId = customerId, status, ...fields } = c.req.valid("json");
    // The commands of the account require this right of services, so the same change here does too.
    if (status !== undefined && c.var.by.type === "SYSTEM") authorizeOperation("suspendCustomer", c);
    if (ownId !== customerId) throw otherCustomer(customerId);
    const profile = profileOf(fields);
    const { resource, headers } = await sendAndRead(
      c,
      (context) =>
        status === undefined
          ? actors.sendAndRead(ref, { ...profile, type: "profile.update" }, context)
          : actors.sendAndRead(ref, { ...profile, status, type: "account.update" }, context),
      () => findCustomer(c, lookups, customerId),
    );
    return c.json(bodyOf(resource), 200, headers);
  });
}

function otherCustomer(customerId: string): DomainError {
  const message = `must be ${customerId}, which the path names, or absent`;
  return new DomainError("INVALID_INPUT", `Cannot change customer ${customerId}: customerId ${message}`, {
    fields: [{ field: "customerId", message }],
  });
}

/**
 * Finds a customer in the caller's store.
 *
 * @throws {DomainError} NOT_FOUND
 */
export async function findCustomer(c: ApiContext, lookups: Lookups, customerId: string): Promise<Customer> {
  const customer = await lookups.findCustomer({ storeId: c.var.by.storeId, customerId }, isClientWaiting(c));
  if (!customer) throw new DomainError("NOT_FOUND", `Cannot find customer ${customerId}`);
  return customer;
}
