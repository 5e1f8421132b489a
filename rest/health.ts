/** Health endpoints for the probes of the platform. */
import { Hono } from "@hono/hono";
import type { Readiness } from "../db/readiness.ts";

export interface UnreadyReasons {
  /** Once aborted, `/readyz` responds with 503, so that the platform sends requests to other replicas. */
  ending?: AbortSignal;
  /** Whether the database was restored from a backup and lacks erasures. */
  restored?: () => boolean;
}

/**
 * `/healthz`: the process responds. `/readyz`: the service can process requests, which does not require Kafka.
 *
 * @param reasons for the text of the response when `ready` is false; a replica that is ending is not ready
 */
export function createHealth(ready: Readiness, { ending, restored }: UnreadyReasons = {}): Hono {
  const reason = () => {
    if (ending?.aborted) return "the service is ending\n";
    if (restored?.()) return "the database was restored and lacks erasures: see deno task erasure replay\n";
    return "the database cannot be used\n";
  };
  return new Hono()
    .get("/healthz", (c) => c.text("alive\n"))
    .get(
      "/readyz",
      async (c) => await ready() ? c.text("ready\n") : c.text(reason(), 503, { "retry-after": "5" }),
    );
}
