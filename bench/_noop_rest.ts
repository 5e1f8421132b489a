/** No-op routes with the REST API's schemas. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { Hono } from "@hono/hono";
import { createRoute, json, z } from "../rest/api.ts";
import { CustomerSchema, NewCustomerSchema } from "../rest/customers/customer.ts";

const MOMENT = "2026-01-01T00:00:00.000Z";

export function createNoop(): Hono {
  const app = new OpenAPIHono();
  const answer = (customerId: string) => ({
    customerId,
    email: "ada@example.com",
    name: "Ada Lovelace",
    firstName: "Ada",
    lastName: "Lovelace",
    phone: null,
    locale: "en",
    status: "ACTIVE" as const,
    version: 1,
    registeredAt: MOMENT,
    updatedAt: MOMENT,
    anonymizedAt: null,
  });
  app.openapi(
    createRoute({
      method: "post",
      path: "/customers",
      request: { body: { required: true, content: { "application/json": { schema: NewCustomerSchema } } } },
      responses: { 201: json("Registered", CustomerSchema) },
    }),
    (c) => c.json(answer(c.req.valid("json").customerId ?? crypto.randomUUID()), 201),
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/customers/{customerId}",
      request: { params: z.object({ customerId: z.uuid() }) },
      responses: { 200: json("The customer", CustomerSchema) },
    }),
    (c) => c.json(answer(c.req.valid("param").customerId), 200),
  );
  return new Hono().route("/", app);
}
