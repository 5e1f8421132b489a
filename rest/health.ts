/** Health endpoints for the probes of the platform. */
import { Hono } from "@hono/hono";
import type { Readiness } from "../db/readiness.ts";

/** Response of `/readyz`. */
export interface HealthTexts {
  /** Once aborted, `/readyz` responds with 503, so that the platform sends requests to other replicas. */
  ending?: AbortSignal;
  /** Whether the database was restored from a backup and lacks erasures. */
  restored?: () => boolean;
  /** A sentence for operators that `/readyz` adds to its response; it does not change the status. */
  warning?: () => string | undefined;
}

/**
 * `/healthz`: the process responds. `/readyz`: the service can process requests, which does not require Kafka.
 *
 * @param parts for the text of `/readyz`; a replica that is ending is not ready
 */
export function createHealth(ready: Readiness, { ending, restored, warning }: HealthTexts = {}): Hono {
  const withWarning = (text: string) => {
    const sentence = warning?.();
    return sentence === undefined ? text : `${text}${sentence}\n`;
  };
  const reason = () => {
    if (ending?.aborted) return "the service is ending\n";
    if (restored?.()) return "the database was restored and lacks erasures: see deno task erasure replay\n";
    return "the database cannot be used\n";
  };
  return new Hono()
    .get("/healthz", (c) => c.text("alive\n"))
    .get(
      "/readyz",
      async (c) =>
        await ready()
          ? c.text(withWarning("ready\n"))
          : c.text(withWarning(reason()), 503, { "retry-after": "5" }),
    );
}
