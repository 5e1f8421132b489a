/** OpenAPI document of the API, generated from the schemas that validate its input. */
import { describeCallers, type Operation, RULES } from "../access.ts";
import type { Api } from "../api.ts";

const DESCRIPTION =
  `Customers, their addresses and shopper groups, and GDPR requests: for identity-service and other
services of the platform, and for store staff. A caller reads and changes only the store of its token. Shoppers manage
their own account through the GraphQL API.

Roles of store staff: CUSTOMER_SUPPORT reads customers, addresses, groups and memberships. CUSTOMER_MANAGER also changes
them, individually or in bulk. PRIVACY_OFFICER handles GDPR requests and the store's settings. STORE_MANAGER may do all of this. A service (SYSTEM)
may do what the configuration of this service grants to its name, which is the \`client_id\` of its token; without
configuration identity-service registers, reads and updates customers. Decisions about GDPR requests, their exports and
receipts are for staff only. Each operation names its callers. Only services choose the \`customerId\` of a new customer.

Each answer that contains data of customers is recorded on the topic \`audit.event\` before it is sent, and is
UNAVAILABLE if it cannot be recorded. So are refusals (403), at most two events a minute for each principal.

A change can be limited to the version that the caller has seen (\`If-Match\` with the \`ETag\`), and can be repeated
safely with an \`Idempotency-Key\`. Errors are \`{code, message}\`: the code is for programs, the message for people.
Messages name IDs and fields, never personal values.`;

export function describeApi(api: Api) {
  api.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description:
      "A token of the platform's issuer for a service (SYSTEM), or for staff with a role in the store",
  });
  const document = api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Customer API",
      version: "1.0.0",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
      description: DESCRIPTION.replaceAll(/(?<!\n)\n(?!\n)/g, " "),
    },
    security: [{ bearer: [] }],
    tags: [
      { name: "Customers", description: "Profiles of customers, and the status of their accounts" },
      {
        name: "Addresses",
        description: "The address book of a customer. Its version is the customer's version",
      },
      { name: "Groups", description: "Shopper groups, which decide the price list" },
      { name: "Holds", description: "Legal holds on a customer, which stop an erasure before it starts" },
      { name: "Memberships", description: "The groups of a customer, and the price list that applies" },
      { name: "Bulk", description: "Streaming upsert and export of many customers" },
      { name: "GDPR requests", description: "Access, erasure, rectification and portability" },
      { name: "Store settings", description: "Controller, contacts and statements for documents" },
    ],
  });
  for (const operations of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(operations)) {
      describeBody(operation);
      describeAccess(operation);
    }
  }
  return document;
}

export type OpenApiDocument = ReturnType<Api["getOpenAPI31Document"]>;

/** @throws {Error} the operation has no rule, so its callers are not known */
function describeAccess(operation: { operationId?: string; description?: string }): void {
  const { operationId = "", description } = operation;
  if (!Object.hasOwn(RULES, operationId)) throw new Error(`The operation ${operationId} has no rule`);
  const callers = describeCallers(operationId as Operation);
  operation.description = description === undefined ? callers : `${description}\n\n${callers}`;
}

/** Describes the errors that are detected before a body is validated. */
function describeBody(operation: { requestBody?: unknown; responses: Record<string, unknown> }): void {
  if (!operation.requestBody) return;
  operation.responses[413] ??= {
    ...operation.responses[400] as object,
    description: "INVALID_INPUT: the body is too large",
  };
  operation.responses[415] ??= {
    ...operation.responses[400] as object,
    description: "INVALID_INPUT: the content type is not accepted",
  };
}
