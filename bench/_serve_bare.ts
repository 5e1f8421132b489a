/** Bare Hono server on the port of its first argument, the baseline of the footprint. */
import { Hono } from "@hono/hono";

const app = new Hono()
  .get("/readyz", (c) => c.json({ status: "ready" }))
  .get("/customers/:id", (c) => c.json({ customerId: c.req.param("id") }))
  .post("/graphql", async (c) => c.json({ data: { asked: (await c.req.text()).length } }));
Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0]), onListen: () => {} }, app.fetch);
