/** The OpenAPI document of the API, made from the schemas that validate its input. */
import type { Api } from "../api.ts";

const DESCRIPTION = `Customers, their addresses and shopper groups, and the requests of data subjects: for
identity-service and other services of the platform, and for store staff. A caller sees and changes one store, the one
of its token. Shoppers keep their own account through the GraphQL API.

Of store staff, CUSTOMER_SUPPORT reads customers, addresses, groups and memberships, and CUSTOMER_MANAGER changes them
as well, many at once too; PRIVACY_OFFICER handles GDPR requests; STORE_MANAGER does all of it, and so do services
(SYSTEM), who alone choose the \`customerId\` of a new customer.

A change may rest on the version that the caller has seen (\`If-Match\` with the \`ETag\`), and can be repeated under an
\`Idempotency-Key\`. Errors are \`{code, message}\`; the code is for programs, and the message, which names ids and
fields but never a personal value, is for people.`;

export function describeApi(api: Api) {
  api.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description:
      "A token of the platform's issuer for a service (SYSTEM) or for staff with a role in the store",
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
      { name: "Customers", description: "Who they are, and whether their account is open" },
      { name: "Addresses", description: "The address book of a customer, whose version is the customer's" },
      { name: "Groups", description: "Shopper groups, which decide the price list" },
      { name: "Memberships", description: "Which customer is in which group, and what it comes to" },
      { name: "Bulk", description: "Many customers at once, streamed in and out" },
      { name: "GDPR requests", description: "Access, erasure, rectification and portability" },
    ],
  });
  for (const operations of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(operations)) describeBody(operation);
  }
  return document;
}

export type OpenApiDocument = ReturnType<Api["getOpenAPI31Document"]>;

/** What any body may meet, before its schema does. */
function describeBody(operation: { requestBody?: unknown; responses: Record<string, unknown> }): void {
  if (!operation.requestBody) return;
  operation.responses[413] ??= {
    ...operation.responses[400] as object,
    description: "INVALID_INPUT: too long",
  };
  operation.responses[415] ??= {
    ...operation.responses[400] as object,
    description: "INVALID_INPUT: another type",
  };
}
