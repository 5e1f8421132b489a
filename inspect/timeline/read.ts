/** Reads a page of an actor's timeline. */
import { publicRow } from "../../actors/gdpr/requests/public_events.ts";
import type { ActorKey } from "../../db/actor_events.ts";
import { findEventsUpTo, findRun } from "../../db/actor_history.ts";
import type { ReadSql } from "../../db/store_reader.ts";
import { foldRuns, isIdle, type Line } from "./runs.ts";

/** Events on one page; those of a run that goes on beyond it come on top. */
export const EVENTS = 50;

/**
 * Newest first, from a sequence on.
 *
 * @param shown the sequence of the event that the page is about; undefined for the present
 */
export async function readLines(
  sql: ReadSql,
  key: ActorKey,
  { upTo, shown }: { upTo: number; shown: number | undefined },
): Promise<Line[]> {
  const events = await findEventsUpTo(sql, key, { upTo, limit: EVENTS });
  const edges = events.filter((_, index) => index === 0 || index === events.length - 1);
  const mayGoOn = edges.filter((event) => isIdle(event) && event.sequence !== shown);
  const ends = await Promise.all(mayGoOn.map((event) => findRun(sql, key, event, shown)));
  const readable = ends.map(({ newest, oldest, about }) => ({
    newest: publicRow(newest),
    oldest: publicRow(oldest),
    about,
  }));
  return foldRuns(events.map(publicRow), shown, readable);
}
