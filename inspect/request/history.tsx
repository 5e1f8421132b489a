/** Timeline of a request, with the reasons and notes of staff decisions. */
import { textsOf, Timeline } from "../timeline/mod.tsx";
import { EVENTS } from "../timeline/read.ts";
import type { RequestReading, RequestView } from "./read.ts";
import type { HrefTo } from "./time_travel.tsx";

export interface HistoryProps {
  hrefTo: HrefTo;
  view: RequestView;
  reading: RequestReading;
  /** ID of the person who views the page. */
  viewer: string;
}

export function History({ hrefTo, view: { at }, reading, viewer }: HistoryProps) {
  const { lines, row: { version } } = reading;
  const [newest, oldest] = [lines[0]?.newest.sequence ?? version, lines.at(-1)?.oldest.sequence ?? 1];
  const page = (upTo: number) =>
    hrefTo(`?${new URLSearchParams({ ...(at && { at: String(at) }), upto: String(upTo) })}#timeline`);
  return (
    <Timeline
      lines={lines}
      viewer={viewer}
      momentHref={(sequence) => hrefTo(`?at=${sequence}#chart`)}
      shown={at}
      texts={textsOf}
      pageHref={page}
      newerHref={newest < version ? page(Math.min(version, newest + EVENTS)) : undefined}
      olderHref={oldest > 1 ? page(oldest - 1) : undefined}
      oldestHref={oldest > 1 + EVENTS ? page(EVENTS) : undefined}
    />
  );
}
