/** Health endpoints for the probes of the platform. */
import { Hono } from "@hono/hono";
import type { Readiness } from "../db/readiness.ts";

/**
 * `/healthz`: the process responds. `/readyz`: the service can process requests, which does not require Kafka.
 *
 * @param ending once aborted, `/readyz` responds with 503, so that the platform sends requests to other replicas
 * @param warning a sentence for operators that `/readyz` adds to its response; it does not change the status
 */
export function createHealth(
  ready: Readiness,
  ending?: AbortSignal,
  warning: () => string | undefined = () => undefined,
): Hono {
  const withWarning = (text: string) => {
    const sentence = warning();
    return sentence === undefined ? text : `${text}${sentence}\n`;
  };
  const reason = () => ending?.aborted ? "the service is ending\n" : "the database cannot be used\n";
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
