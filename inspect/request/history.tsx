/** A request's timeline, with the reasons for what staff decided. */
import type { ActorEventRow } from "../../db/actor_events.ts";
import { parseState } from "../chart/value.ts";
import { Timeline } from "../timeline/mod.tsx";
import { openRegions, regionsOf } from "./standing.ts";
import { EVENTS } from "../timeline/read.ts";
import type { RequestReading, View } from "./read.ts";
import type { To } from "./travel.tsx";

export interface HistoryProps {
  to: To;
  view: View;
  reading: RequestReading;
  /** The id of who looks. */
  viewer: string;
}

export function History({ to, view: { at }, reading, viewer }: HistoryProps) {
  const { lines, row: { version } } = reading;
  const [newest, oldest] = [lines[0]?.newest.sequence ?? version, lines.at(-1)?.oldest.sequence ?? 1];
  const page = (upTo: number) =>
    to(`?${new URLSearchParams({ ...(at && { at: String(at) }), upto: String(upTo) })}#timeline`);
  return (
    <Timeline
      lines={lines}
      viewer={viewer}
      momentHref={(sequence) => to(`?at=${sequence}#chart`)}
      shown={at}
      note={noteOf}
      pageHref={page}
      newerHref={newest < version ? page(Math.min(version, newest + EVENTS)) : undefined}
      olderHref={oldest > 1 ? page(oldest - 1) : undefined}
      oldestHref={oldest > 1 + EVENTS ? page(EVENTS) : undefined}
    />
  );
}

/** Who settled, where the states do not tell, and why staff have decided so. */
function noteOf(event: ActorEventRow): string | undefined {
  return [settledLast(event), event.reason].filter((word) => word).join(": ") || undefined;
}

/** With the last participant all of them are left at once, and the states do not tell who it was. */
function settledLast({ eventType, stateBefore, stateAfter }: ActorEventRow): string | undefined {
  if (!["participant.confirm", "source.received", "waive"].includes(eventType)) return undefined;
  const open = openRegions(parseState(stateBefore ?? ""));
  return open.length === 1 && regionsOf(parseState(stateAfter)).length === 0 ? open[0]?.service : undefined;
}
