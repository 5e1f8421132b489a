/** Navigation through the journal: previous event, next event, and back to the present. */
import type { ActorEventRow } from "../../db/actor_events.ts";
import { Instant } from "../page.tsx";
import { eventLabel } from "../labels.ts";

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
 * Links to the previous and the next event. They lead to the chart, so that the scroll position stays the same.
 *
 * @param version sequence of the last event
 */
export function Steps({ hrefTo, at, version }: { hrefTo: HrefTo; at: number | undefined; version: number }) {
  const shown = at ?? version;
  const next = shown + 1 < version ? hrefTo(`?at=${shown + 1}#chart`) : hrefTo("#chart");
  return (
    <nav class="steps" aria-label="Steps through the journal">
      {shown > 1
        ? <a href={hrefTo(`?at=${shown - 1}#chart`)} rel="prev" data-key="ArrowLeft">← Previous</a>
        : <span aria-disabled="true">← Previous</span>}
      <span class="steps-at">
        {at === undefined ? "now" : `event ${at} of ${version}`}
      </span>
      {at === undefined
        ? <span aria-disabled="true">Next →</span>
        : <a href={next} rel="next" data-key="ArrowRight">Next →</a>}
    </nav>
  );
}
