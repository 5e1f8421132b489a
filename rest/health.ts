/** What the platform's probes ask: alive, and ready for work. */
import { Hono } from "@hono/hono";
import type { Readiness } from "../db/readiness.ts";

/**
 * `/healthz`: the process answers. `/readyz`: it can do its work; Kafka plays no part in that.
 *
 * @param ending from when on it tells everybody to go elsewhere
 */
export function createHealth(ready: Readiness, ending?: AbortSignal): Hono {
  const whyNot = () => ending?.aborted ? "the service is ending\n" : "the database cannot be used\n";
  return new Hono()
    .get("/healthz", (c) => c.text("alive\n"))
    .get(
      "/readyz",
      async (c) => await ready() ? c.text("ready\n") : c.text(whyNot(), 503),
    );
}
