/** Navigation through the journal: steps from one change of state to another, and back to the present. */
import type { ActorEventRow } from "../../db/actor_events.ts";
import type { StateChange } from "../../db/actor_history.ts";
import { Instant } from "../page.tsx";
import { eventLabel } from "../labels.ts";
import type { InspectContext } from "../session.ts";
import type { RequestView } from "./read.ts";

/** Builds an address under the page's path, with the `store` parameter if needed. */
export type HrefTo = (rest?: string) => string;

/** Banner of a page that shows the past. */
export function Moment(
  { hrefTo, moment: { sequence, at, eventType, about } }: { hrefTo: HrefTo; moment: ActorEventRow },
) {
  return (
    <p class="moment-banner" role="status">
      This page shows the request at <Instant at={at} />, after event #{sequence}{" "}
      ({eventLabel(eventType, about)}). <a href={hrefTo()}>Back to now</a>
    </p>
  );
}

/**
 * Steps through the changes of state: links to the previous and the next one, and a slider. They lead to the chart, so
 * that the scroll position stays the same. The timeline leads to every other event.
 *
 * @param changes in ascending order
 */
export function Steps(
  { c, hrefTo, view, changes }: {
    c: InspectContext;
    hrefTo: HrefTo;
    view: RequestView;
    changes: readonly StateChange[];
  },
) {
  const { at, isWhole } = view;
  const until = at ?? Infinity;
  const reached = changes.filter(({ sequence }) => sequence <= until).length;
  const isBetween = at !== undefined && changes[reached - 1]?.sequence !== at;
  const hrefOf = (number: number) => {
    const change = changes[number - 1]!;
    return hrefTo(chartQuery({ at: number < changes.length ? change.sequence : undefined, isWhole }));
  };
  const previous = isBetween ? reached : reached - 1;
  return (
    <nav class="steps" aria-label="Changes of state">
      {previous >= 1
        ? <a href={hrefOf(previous)} rel="prev" data-key="ArrowLeft">← Previous</a>
        : <span aria-disabled="true">← Previous</span>}
      {changes.length > 1 && (
        <form method="get" action={hrefTo("#chart")} class="travel">
          {isWhole && <input type="hidden" name="chart" value="whole" />}
          {c.var.by.storeId !== c.var.home && <input type="hidden" name="store" value={c.var.by.storeId} />}
          <input
            type="range"
            name="change"
            min={1}
            max={changes.length}
            value={Math.max(1, reached)}
            list="changes"
            aria-label="Change of state to show"
            autocomplete="off"
          />
          <datalist id="changes">
            {changes.map(({ eventType, about }, index) => (
              <option value={index + 1} label={eventLabel(eventType, about)} />
            ))}
          </datalist>
          <output>{at === undefined ? "now" : `change ${reached} of ${changes.length}`}</output>
          <button type="submit" class="without-script">Show</button>
        </form>
      )}
      {at === undefined
        ? <span aria-disabled="true">Next →</span>
        : (
          <a href={hrefOf(Math.min(reached + 1, changes.length))} rel="next" data-key="ArrowRight">
            Next →
          </a>
        )}
    </nav>
  );
}

/** Query and fragment of a request's page that shows its chart. */
export function chartQuery({ at, isWhole }: Pick<RequestView, "at" | "isWhole">): string {
  const query = new URLSearchParams({
    ...(at !== undefined && { at: String(at) }),
    ...(isWhole && { chart: "whole" }),
  });
  return `${query.size > 0 ? `?${query}` : ""}#chart`;
}

/** Link that switches between the whole chart and one that folds the groups that the request is not in. */
export function ChartChoice({ hrefTo, view: { at, isWhole } }: { hrefTo: HrefTo; view: RequestView }) {
  return (
    <a class="chart-choice" href={hrefTo(chartQuery({ at, isWhole: !isWhole }))}>
      {isWhole ? "Fold the states that it is not in" : "Show all states"}
    </a>
  );
}
