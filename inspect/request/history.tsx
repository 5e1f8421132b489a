/** A request's timeline, with the reasons for what staff decided. */
import { Timeline } from "../timeline/mod.tsx";
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
      note={({ reason }) => reason}
      pageHref={page}
      newerHref={newest < version ? page(Math.min(version, newest + EVENTS)) : undefined}
      olderHref={oldest > 1 ? page(oldest - 1) : undefined}
      oldestHref={oldest > 1 + EVENTS ? page(EVENTS) : undefined}
    />
  );
}
