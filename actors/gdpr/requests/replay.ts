/** Replay of the erasure memory into a restored database: erases again the customers that the backup contains. */
import { v7 as newId } from "uuid";
import { type Sql, writeStore } from "../../../db/connect.ts";
import { findAnonymized } from "../../../db/customers.ts";
import { type ErasedSubject, rememberSubjects } from "../../../db/erased_subjects.ts";
import { ignoreRefused } from "../../../domain/errors.ts";
import { systemPrincipal } from "../../../domain/principal.ts";
import type { Actors } from "../../commands.ts";
import { newTraceparent } from "../../../lib/trace_context.ts";

/** Numbers of customers by the result of a replay. */
export interface ReplayCounts {
  /** Missing from the erasure memory of the database, and added to it. */
  remembered: number;
  /** An erasure was opened. */
  erasedAgain: number;
  /** An erasure was open already. */
  underWay: number;
  /** Erased in the database, too. */
  alreadyGone: number;
  /** Not in the database. */
  unknown: number;
}

/**
 * Replays erased customers. The service completes the erasures that it opens. Idempotent.
 *
 * @param sql a pool of the role customer_api
 */
export async function replaySubjects(
  sql: Sql,
  actors: Actors,
  subjects: readonly ErasedSubject[],
): Promise<ReplayCounts> {
  const counts: ReplayCounts = { remembered: 0, erasedAgain: 0, underWay: 0, alreadyGone: 0, unknown: 0 };
  for (const [storeId, storeSubjects] of Map.groupBy(subjects, (subject) => subject.storeId)) {
    const latest = new Map<string, ErasedSubject>();
    for (const subject of storeSubjects) {
      const previous = latest.get(subject.customerId);
      if (!previous || previous.erasedAt < subject.erasedAt) latest.set(subject.customerId, subject);
    }
    const [added, anonymized] = await writeStore(sql, storeId, (tx) =>
      Promise.all([
        rememberSubjects(tx, [...latest.values()]),
        findAnonymized(tx, storeId, [...latest.keys()]),
      ]));
    counts.remembered += added.size;
    for (const customerId of latest.keys()) {
      const isErased = anonymized.get(customerId);
      if (isErased === undefined) counts.unknown++;
      else if (isErased) counts.alreadyGone++;
      else counts[await eraseAgain(actors, storeId, customerId)]++;
    }
  }
  return counts;
}

async function eraseAgain(actors: Actors, storeId: string, customerId: string) {
  const ref = { kind: "gdpr_request" as const, storeId, id: newId() };
  const command = { type: "open", customerId, right: "ERASURE", cause: "RESTORE" } as const;
  const context = { by: systemPrincipal(storeId), traceparent: newTraceparent() };
  const answer = await ignoreRefused(actors.send(ref, command, context));
  if (!answer) return "alreadyGone"; // erased since the query
  // If an erasure is open already, the answer is about that one.
  return answer.id === ref.id ? "erasedAgain" : "underWay";
}
