/** Brings the erasure memory back into a restored database, and erases again whom the backup has brought back. */
import { v7 as newId } from "uuid";
import type { Sql } from "../../../db/connect.ts";
import { findAnonymized } from "../../../db/customers.ts";
import { type ErasedSubject, rememberSubjects } from "../../../db/erased_subjects.ts";
import { DomainError } from "../../../domain/errors.ts";
import { systemPrincipal } from "../../../domain/principal.ts";
import type { Actors } from "../../commands.ts";
import { newTraceparent } from "../../../lib/trace_context.ts";
import { within } from "../exports/chunks.ts";

/** How many subjects a replay has found in which state. */
export interface Replayed {
  /** Whom the database had forgotten. */
  remembered: number;
  /** Whose erasure was begun again. */
  erasedAgain: number;
  /** Whose erasure is under way already. */
  underWay: number;
  alreadyGone: number;
  /** Whom the database has no customer of. */
  unknown: number;
}

/**
 * Replays some subjects. What it has begun is finished by the service; repeated, it begins nothing twice.
 *
 * @param sql a pool of customer_api
 */
export async function replaySubjects(
  sql: Sql,
  actors: Actors,
  subjects: readonly ErasedSubject[],
): Promise<Replayed> {
  const replayed: Replayed = { remembered: 0, erasedAgain: 0, underWay: 0, alreadyGone: 0, unknown: 0 };
  for (const [storeId, ofStore] of Map.groupBy(subjects, (subject) => subject.storeId)) {
    const latest = new Map<string, ErasedSubject>();
    for (const subject of ofStore) {
      const known = latest.get(subject.customerId);
      if (!known || known.erasedAt < subject.erasedAt) latest.set(subject.customerId, subject);
    }
    const [added, anonymized] = await within(sql, storeId, (tx) =>
      Promise.all([
        rememberSubjects(tx, [...latest.values()]),
        findAnonymized(tx, storeId, [...latest.keys()]),
      ]));
    replayed.remembered += added.size;
    for (const customerId of latest.keys()) {
      const gone = anonymized.get(customerId);
      if (gone === undefined) replayed.unknown++;
      else if (gone) replayed.alreadyGone++;
      else replayed[await eraseAgain(actors, storeId, customerId)]++;
    }
  }
  return replayed;
}

async function eraseAgain(actors: Actors, storeId: string, customerId: string) {
  const ref = { kind: "gdpr_request" as const, storeId, id: newId() };
  const command = { type: "open", customerId, right: "ERASURE", cause: "RESTORE" } as const;
  try {
    const { id } = await actors.send(ref, command, {
      by: systemPrincipal(storeId),
      traceparent: newTraceparent(),
    });
    // An erasure that is open already answers in place of a new one.
    return id === ref.id ? "erasedAgain" : "underWay";
  } catch (error) {
    // It was erased since we looked.
    if (error instanceof DomainError && error.code === "REFUSED_IN_STATE") return "alreadyGone";
    throw error;
  }
}
