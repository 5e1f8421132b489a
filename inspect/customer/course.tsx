/** Statechart and timeline of a customer. */
import { Zoom } from "../chart/zoom.tsx";
import { eventLabel } from "../labels.ts";
import { Instant } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { textsOf, Timeline } from "../timeline/mod.tsx";
import { EVENTS } from "../timeline/read.ts";
import type { Charts } from "../chart/mod.tsx";
import type { CustomerReading, CustomerView } from "./read.ts";

/** Chart and timeline. The chart shows legal holds, so viewers who may not read them get the timeline without it. */
export function Course(
  { c, view, reading, chart, path }: {
    c: InspectContext;
    view: CustomerView;
    reading: CustomerReading;
    chart: Awaited<ReturnType<Charts["render"]>>;
    path: string;
  },
) {
  const { moment, holds } = reading;
  return (
    <div class={holds ? "request-course" : undefined}>
      {holds && (
        <section aria-labelledby="chart" class="request-chart">
          <h2 id="chart">Account status</h2>
          {moment && (
            <p class="moment-banner" role="status">
              The chart shows the account at <Instant at={moment.at} />, after event #{moment.sequence}{" "}
              ({eventLabel(moment.eventType)}). <a href={inStore(c, path)}>Back to now</a>
            </p>
          )}
          <Zoom />
          <div data-part="chart">{chart}</div>
        </section>
      )}
      <section class="request-timeline">
        <h2 id="timeline">Timeline</h2>
        <div data-part="timeline" class="tall" role="region" aria-labelledby="timeline" tabindex={0}>
          <History c={c} path={path} view={view} reading={reading} />
        </div>
      </section>
    </div>
  );
}

function History(
  { c, path, view: { at, upTo }, reading: { lines, holds, facts: { events } } }: {
    c: InspectContext;
    path: string;
    view: CustomerView;
    reading: CustomerReading;
  },
) {
  const [newest, oldest] = [lines[0]?.newest.sequence ?? events, lines.at(-1)?.oldest.sequence ?? 1];
  const page = (upTo: number) =>
    `${
      inStore(c, `${path}?${new URLSearchParams({ ...(at && { at: String(at) }), upto: String(upTo) })}`)
    }#timeline`;
  return (
    <Timeline
      lines={lines}
      viewer={c.var.by.id}
      {...(holds && {
        momentHref: (sequence: number) => `${inStore(c, `${path}?at=${sequence}`)}#chart`,
      })}
      shown={at}
      texts={textsOf}
      pageHref={page}
      newerHref={upTo !== undefined && newest < events ? page(Math.min(events, newest + EVENTS)) : undefined}
      olderHref={oldest > 1 ? page(oldest - 1) : undefined}
    />
  );
}
