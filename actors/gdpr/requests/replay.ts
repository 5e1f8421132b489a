/** Replay of the erasure memory into a restored database: erases again the customers that the backup contains. */
import { v7 as newId } from "uuid";
import { type Sql, writeStore } from "../../../db/connect.ts";
import { findAnonymized } from "../../../db/customers.ts";
import { type ErasedSubject, findErased, rememberSubjects } from "../../../db/erased_subjects.ts";
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

/** Result of a replay in one store. */
export interface StoreReplay {
  storeId: string;
  counts: ReplayCounts;
  /** Customers that the database contains although they were erased. */
  restored: string[];
}

/**
 * Replays erased customers. The service completes the erasures that it opens. Idempotent: it adds to the memory and
 * removes nothing from it.
 *
 * @param sql a pool of the role customer_api
 * @param actors undefined for a dry run, which changes nothing and counts what a replay would do
 */
export async function replaySubjects(
  sql: Sql,
  actors: Actors | undefined,
  subjects: readonly ErasedSubject[],
): Promise<StoreReplay[]> {
  const replays: StoreReplay[] = [];
  for (const [storeId, entries] of Map.groupBy(subjects, (subject) => subject.storeId)) {
    const merged = mergeByCustomer(entries);
    const ids = merged.map(({ customerId }) => customerId);
    const [added, anonymized] = await writeStore(sql, storeId, async (tx) => {
      const known = await findErased(tx, storeId, ids);
      const added = actors
        ? (await rememberSubjects(tx, merged)).size
        : ids.filter((id) => !known.has(id)).length;
      return [added, await findAnonymized(tx, storeId, ids)] as const;
    });
    const counts = { remembered: added, erasedAgain: 0, underWay: 0, alreadyGone: 0, unknown: 0 };
    const restored: string[] = [];
    for (const customerId of ids) {
      const isErased = anonymized.get(customerId);
      if (isErased === undefined) counts.unknown++;
      else if (isErased) counts.alreadyGone++;
      else {
        restored.push(customerId);
        counts[actors ? await eraseAgain(actors, storeId, customerId) : "erasedAgain"]++;
      }
    }
    replays.push({ storeId, counts, restored });
  }
  return replays;
}

/** One entry for each customer, with the hashes of all its entries and the latest date. */
function mergeByCustomer(entries: readonly ErasedSubject[]): ErasedSubject[] {
  return [...Map.groupBy(entries, ({ customerId }) => customerId).values()].map((same) => {
    const latest = same.reduce((one, other) => other.erasedAt > one.erasedAt ? other : one);
    const hashes = same.flatMap(({ emailHashes }) => emailHashes.map((hash) => new Uint8Array(hash).toHex()));
    return { ...latest, emailHashes: [...new Set(hashes)].map((hash) => Uint8Array.fromHex(hash)) };
  });
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
