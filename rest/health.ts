/** What the platform's probes ask: alive, and ready for work. */
import { Hono } from "@hono/hono";
import type { Readiness } from "../db/readiness.ts";

/** `/healthz`: the process answers. `/readyz`: it can do its work; Kafka plays no part in that. */
export function createHealth(ready: Readiness): Hono {
  return new Hono()
    .get("/healthz", (c) => c.text("alive\n"))
    .get(
      "/readyz",
      async (c) => await ready() ? c.text("ready\n") : c.text("the database cannot be used\n", 503),
    );
}
