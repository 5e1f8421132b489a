/** Health endpoints for the probes of the platform. */
import { Hono } from "@hono/hono";
import type { Readiness } from "../db/readiness.ts";

/**
 * `/healthz`: the process responds. `/readyz`: the service can process requests, which does not require Kafka.
 *
 * @param ending once aborted, `/readyz` responds with 503, so that the platform sends requests to other replicas
 */
export function createHealth(ready: Readiness, ending?: AbortSignal): Hono {
  const reason = () => ending?.aborted ? "the service is ending\n" : "the database cannot be used\n";
  return new Hono()
    .get("/healthz", (c) => c.text("alive\n"))
    .get(
      "/readyz",
      async (c) => await ready() ? c.text("ready\n") : c.text(reason(), 503, { "retry-after": "5" }),
    );
}
