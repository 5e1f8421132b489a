/** Carries a bulk retry out: each retry is an ordinary command of the person who asks for it. */
import { getLogger } from "@logtape/logtape";
import { asDomainError } from "../../db/errors.ts";
import type { Principal } from "../../domain/principal.ts";
import type { Actors } from "../../actors/commands.ts";
import { describeError } from "../../lib/error_description.ts";
import type { Retry } from "./plan.ts";
import { refusalWords } from "./words.ts";

/** Commands under way at once: as few as leave the database to everybody else. */
const SIDE_BY_SIDE = 4;

export interface Result {
  requestId: string;
  /** What is tried again. */
  done: (string | undefined)[];
  /** Why the rest of it, or all, is not; in words. */
  refusal: string | undefined;
}

/**
 * In the order of the retries.
 *
 * @param reason empty for none
 * @param key under which a repetition gets the same answers
 * @throws the driver's error when the database is away: what was done by then is not done again under the same key
 */
export async function performRetries(
  actors: Actors,
  retries: readonly Retry[],
  { by, traceparent, key, reason }: { by: Principal; traceparent: string; key: string; reason: string },
): Promise<Result[]> {
  const results = new Array<Result>(retries.length);
  const left = retries.entries();
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, async () => {
    for (const [index, retry] of left) results[index] = await performOne(retry);
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
        ...(reason !== "" && { reason }),
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
        return { requestId, done, refusal: refusalWords(expected) };
      }
    }
    return { requestId, done, refusal: undefined };
  }
}
