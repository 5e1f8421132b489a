/** Timeline of an actor's journal, newest first, with a line for each long gap. */
import type { Child } from "@hono/hono/jsx";
import type { ActorEventRow } from "../../db/actor_events.ts";
import type { AboutCount } from "../../db/actor_history.ts";
import { Instant } from "../page.tsx";
import { formatDuration } from "../durations.ts";
import { capitalize, eventLabel, failureLabel, fieldLabels } from "../labels.ts";
import { changesOf } from "./changes.ts";
import type { TimelineLine } from "./runs.ts";
import { PrincipalName } from "./principal_name.tsx";

/** Shortest gap that the timeline shows, in milliseconds. */
const GAP_MS = 24 * 60 * 60_000;

export interface TimelineProps {
  /** Newest first. */
  lines: readonly TimelineLine[];
  /** ID of the person who views the page. */
  viewer: string;
  /** Address of the page after an event. */
  momentHref?: (sequence: number) => string;
  /** Address of the timeline's page that ends with an event. */
  pageHref?: (upTo: number) => string;
  /** Sequence of the event that the page shows; undefined: the present. */
  shown?: number | undefined;
  /** Additional lines of an event, such as its reason. */
  texts?: (event: ActorEventRow) => readonly Child[];
  newerHref?: string | undefined;
  olderHref?: string | undefined;
  /** Address of the first page of the journal. */
  oldestHref?: string | undefined;
}

export function Timeline({ lines, newerHref, olderHref, oldestHref, ...rest }: TimelineProps) {
  if (lines.length === 0) return <p class="empty">The journal has no events here.</p>;
  return (
    <>
      <ol class="timeline">
        {lines.map((line, index) => (
          <>
            {line.times > 1 ? <Run line={line} {...rest} /> : <Moment event={line.newest} {...rest} />}
            <Gap newer={line.oldest} older={lines[index + 1]?.newest} />
          </>
        ))}
      </ol>
      {(newerHref || olderHref) && (
        <nav class="timeline-pages" aria-label="Pages of the timeline">
          {newerHref && <a href={newerHref}>Newer events</a>}
          {olderHref && <a href={olderHref}>Older events</a>}
          {oldestHref && <a href={oldestHref}>First events</a>}
        </nav>
      )}
    </>
  );
}

type Rest = Omit<TimelineProps, "lines">;

/** The reason and the note of a decision. */
export function textsOf(
  event: Pick<ActorEventRow, "reason" | "reasonGiven" | "note" | "noteGiven" | "failure">,
): string[] {
  return [
    ...(event.failure !== null ? [failureText(event.failure)] : []),
    ...(event.reason !== null ? [event.reason] : event.reasonGiven ? [removed("reason")] : []),
    ...(event.note !== null ? [`Note for staff: ${event.note}`] : event.noteGiven ? [removed("note")] : []),
  ];
}

function failureText(code: string): string {
  const meaning = failureLabel(code);
  return meaning === undefined ? `Failed with ${code}` : `${capitalize(meaning)} (${code})`;
}

const removed = (text: string) => `The ${text} was removed by the erasure of the customer`;

function Moment(
  { event, viewer, momentHref, shown, texts }: Rest & { event: ActorEventRow },
) {
  const { sequence, eventType, about, changedFields, at } = event;
  // The title names the participant.
  const shownFields = changedFields.filter((field) => field !== "participants" || about === null);
  const isShown = sequence === shown;
  const isLater = shown !== undefined && sequence > shown;
  return (
    <li
      class={isShown ? "moment here" : isLater ? "moment later" : "moment"}
      id={`event-${sequence}`}
      aria-current={isShown ? "step" : undefined}
    >
      <p class="moment-head">
        <strong>{capitalize(eventLabel(eventType, about))}</strong>
        {momentHref && <MomentLink sequence={sequence} momentHref={momentHref} />}
      </p>
      <States event={event} />
      {texts?.(event).map((text) => <p class="moment-note">{text}</p>)}
      <p class="moment-by">
        <Instant at={at} /> by{" "}
        <PrincipalName
          id={event.principalId}
          type={event.principalType}
          service={event.principalService}
          viewer={viewer}
        />
        {shownFields.length > 0 && ` · changed ${fieldLabels(shownFields)}`}
      </p>
    </li>
  );
}

/** Run of repeated events: one line with expandable details. */
function Run({ line, viewer, momentHref, pageHref, shown }: Rest & { line: TimelineLine }) {
  const { events, newest, oldest, about, period, times, more } = line;
  const repetition = events.slice(0, period).toReversed();
  const last = events.at(-1)!;
  const common = period > 1 || about.length === 1;
  const words = repetition.map((event) => eventLabel(event.eventType, common ? event.about : null));
  return (
    <li class={shown !== undefined && oldest.sequence > shown ? "moment later" : "moment"}>
      <p class="moment-head">
        <strong>
          {capitalize(words.join(", "))}, {more && "at least "}
          {times.toLocaleString("en")} times
        </strong>
      </p>
      {repetition.flatMap(({ failure }) => failure === null ? [] : failureText(failure)).map((text) => (
        <p class="moment-note">{text}</p>
      ))}
      {common ? <Regions events={repetition} /> : <Counts about={about} />}
      <p class="moment-by">
        by{" "}
        <PrincipalName
          id={newest.principalId}
          type={newest.principalType}
          service={newest.principalService}
          viewer={viewer}
        />, from <Instant at={oldest.at} /> to <Instant at={newest.at} />
      </p>
      <details id={`run-${oldest.sequence}`}>
        <summary>
          {events.length === times * period ? "All events" : `${events.length} of these events`}
        </summary>
        <ol class="run">
          {events.map(({ sequence, at }) => (
            <li id={`event-${sequence}`}>
              <Instant at={at} /> {momentHref && <MomentLink sequence={sequence} momentHref={momentHref} />}
            </li>
          ))}
        </ol>
        {pageHref && last.sequence > oldest.sequence && (
          <a href={pageHref(last.sequence - 1)}>
            Earlier events
          </a>
        )}
      </details>
    </li>
  );
}

/** Number of events of a run for each service. */
function Counts({ about }: { about: readonly AboutCount[] }) {
  const words = about.map(({ about, times }) =>
    `${about ?? "service not recorded"} ${times === 1 ? "once" : `${times.toLocaleString("en")} times`}`
  );
  return <p class="moment-states">{words.join(", ")}</p>;
}

/** Participants of a run whose events were stored by an earlier version, without the service. */
function Regions({ events }: { events: readonly ActorEventRow[] }) {
  const unnamed = events.filter(({ about }) => about === null);
  const names = unnamed.flatMap(({ stateBefore, stateAfter }) =>
    changesOf(stateBefore, stateAfter).flatMap(({ about }) => about ?? [])
  );
  return names.length === 0 ? null : <p class="moment-states">{[...new Set(names)].join(", ")}</p>;
}

function MomentLink(
  { sequence, momentHref }: { sequence: number; momentHref: (sequence: number) => string },
) {
  return (
    <a class="moment-link" href={momentHref(sequence)} aria-label={`State after event ${sequence}`}>
      #{sequence}
    </a>
  );
}

function States({ event: { stateBefore, stateAfter } }: { event: ActorEventRow }) {
  const changes = changesOf(stateBefore, stateAfter);
  if (changes.length === 0) return null;
  return (
    <ul class="moment-states">
      {changes.map(({ about, from, to }) => (
        <li>
          {about && `${about}: `}
          {from && (
            <>
              <span class="from">{from}</span> <span aria-hidden="true">→</span>
              <span class="said-only">to</span>
              {" "}
            </>
          )}
          <span class="to">{to}</span>
        </li>
      ))}
    </ul>
  );
}

function Gap({ newer, older }: { newer: ActorEventRow; older: ActorEventRow | undefined }) {
  const length = older ? newer.at.getTime() - older.at.getTime() : 0;
  if (length < GAP_MS) return null;
  return <li class="gap">{formatDuration(length)} without events</li>;
}
