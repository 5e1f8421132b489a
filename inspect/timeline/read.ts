/** Reads a page of an actor's timeline. */
import { publicRow } from "../../actors/gdpr/requests/public_events.ts";
import type { ActorKey } from "../../db/actor_events.ts";
import { findEventsUpTo, findRun } from "../../db/actor_history.ts";
import type { ReadSql } from "../../db/store_reader.ts";
import { foldRuns, isRepeatable, type TimelineLine } from "./runs.ts";

/** Number of events on one page, without the rest of a run that continues beyond it. */
export const EVENTS = 50;

/**
 * Lines of the timeline, newest first, from the sequence `upTo`.
 *
 * @param shown sequence of the event that the page shows; undefined: the present
 * @param without beginning of the types of events that are left out
 */
export async function readLines(
  sql: ReadSql,
  key: ActorKey,
  { upTo, shown, without }: { upTo: number; shown: number | undefined; without?: string | undefined },
): Promise<TimelineLine[]> {
  const events = await findEventsUpTo(sql, key, { upTo, limit: EVENTS, without });
  const edges = events.filter((_, index) => index === 0 || index === events.length - 1);
  const mayContinue = edges.filter((event) => isRepeatable(event) && event.sequence !== shown);
  const ends = await Promise.all(mayContinue.map((event) => findRun(sql, key, event, shown)));
  const readable = ends.map(({ newest, oldest, about }) => ({
    newest: publicRow(newest),
    oldest: publicRow(oldest),
    about,
  }));
  return foldRuns(events.map(publicRow), shown, readable);
}
