/** Stepping through the journal: one event back, one event on, and back to the present. */
import type { ActorEventRow } from "../../db/actor_events.ts";
import { Instant } from "../page.tsx";
import { eventWords } from "../words.ts";

/** The address of the page with something behind it, in the store that it is about. */
export type To = (rest?: string) => string;

/** Says that the page is about the past. */
export function Moment(
  { to, moment: { sequence, at, eventType, about } }: { to: To; moment: ActorEventRow },
) {
  return (
    <p class="moment-banner" role="status">
      This is how it was at <Instant at={at} />, after event #{sequence} ({eventWords(eventType, about)}).
      {" "}
      <a href={to()}>Back to now</a>
    </p>
  );
}

/**
 * They lead to the chart, so that each step leaves the reader at the same place.
 *
 * @param version the sequence of the last event
 */
export function Steps({ to, at, version }: { to: To; at: number | undefined; version: number }) {
  const shown = at ?? version;
  const next = shown + 1 < version ? to(`?at=${shown + 1}#chart`) : to("#chart");
  return (
    <nav class="steps" aria-label="Steps through the journal">
      {shown > 1
        ? <a href={to(`?at=${shown - 1}#chart`)} rel="prev" data-key="ArrowLeft">← Previous</a>
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
