/** A request's timeline, with the reasons that its row has for what staff decided. */
import type { ActorEventRow } from "../../db/actor_events.ts";
import { changesOf } from "../timeline/changes.ts";
import { Timeline } from "../timeline/mod.tsx";
import { EVENTS, type RequestReading, type View } from "./read.ts";
import type { To } from "./travel.tsx";

export interface HistoryProps {
  to: To;
  view: View;
  reading: RequestReading;
  /** The id of who looks. */
  viewer: string;
}

export function History({ to, view: { at }, reading, viewer }: HistoryProps) {
  const { events, row: { version } } = reading;
  const [newest, oldest] = [events[0]?.sequence ?? version, events.at(-1)?.sequence ?? 1];
  const page = (upTo: number) =>
    `${to(`?${new URLSearchParams({ ...(at && { at: String(at) }), upto: String(upTo) })}`)}#timeline`;
  return (
    <Timeline
      events={events}
      viewer={viewer}
      momentHref={(sequence) => to(`?at=${sequence}`)}
      shown={at}
      note={(event) => reasonOf(event, reading)}
      newerHref={newest < version ? page(Math.min(version, newest + EVENTS)) : undefined}
      olderHref={oldest > 1 ? page(oldest - 1) : undefined}
    />
  );
}

/** The row keeps the last reason of a kind, so that only the last event of the kind can be given one. */
function reasonOf(
  { sequence, eventType, stateBefore, stateAfter }: ActorEventRow,
  { row, last, participants }: RequestReading,
): string | undefined {
  if (eventType === "waive") {
    const [waived] = changesOf(stateBefore, stateAfter);
    const reason = participants.find(({ service }) => service === waived?.about)?.waiverReason;
    return reason ?? undefined;
  }
  const reasons: Record<string, string | null> = {
    hold: row.holdReason,
    extend: row.extensionReason,
    refuse: row.refusalReason,
  };
  if (!Object.hasOwn(reasons, eventType) || last[eventType] !== sequence) return undefined;
  return reasons[eventType] ?? undefined;
}
