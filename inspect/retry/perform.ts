/** Performs a bulk retry: sends each retry as a command of the person who requested it. */
import { getLogger } from "@logtape/logtape";
import { asDomainError } from "../../db/errors.ts";
import type { Principal } from "../../domain/principal.ts";
import type { Actors } from "../../actors/commands.ts";
import { describeError } from "../../lib/error_description.ts";
import type { Retry } from "./plan.ts";
import { describeRefusal } from "./labels.ts";

/** Concurrent commands; few, so that other requests still get database connections. */
const CONCURRENCY = 4;

export interface Result {
  requestId: string;
  /** Services that were retried; undefined: the step after the services. */
  done: (string | undefined)[];
  /** Reason for the refusal of the remaining retries; undefined: none was refused. */
  refusal: string | undefined;
}

/**
 * Performs all retries and returns the results in the same order.
 *
 * @param options.note empty: no note
 * @param options.key idempotency key: a repetition with the same key returns the same results
 * @throws the driver's error if the database is unavailable; the same key does not repeat completed retries
 */
export async function performRetries(
  actors: Actors,
  retries: readonly Retry[],
  { by, traceparent, key, note }: { by: Principal; traceparent: string; key: string; note: string },
): Promise<Result[]> {
  const results = new Array<Result>(retries.length);
  const queue = retries.entries();
  await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
    for (const [index, retry] of queue) results[index] = await performOne(retry);
  }));
  return results;

  async function performOne({ requestId, version, services }: Retry): Promise<Result> {
    const ref = { kind: "gdpr_request", storeId: by.storeId, id: requestId } as const;
    const done: Result["done"] = [];
    let expectedVersion = version;
    for (const service of services) {
      const command = {
        type: "retry" as const,
        ...(service !== undefined && { service }),
        ...(note !== "" && { note }),
      };
      const idempotencyKey = `${key} ${requestId} ${service ?? ""}`;
      try {
        const context = { by, traceparent, expectedVersion, idempotencyKey };
        const answer = await actors.send(ref, command, context);
        expectedVersion = answer.version;
        done.push(service);
      } catch (error) {
        const expected = asDomainError(error);
        if (expected?.code === "UNAVAILABLE") throw error;
        if (!expected) {
          getLogger(["customer-service", "inspect"]).error("Cannot retry request {requestId}: {reason}", {
            requestId,
            reason: describeError(error),
          });
        }
        return { requestId, done, refusal: describeRefusal(expected) };
      }
    }
    return { requestId, done, refusal: undefined };
  }
}
