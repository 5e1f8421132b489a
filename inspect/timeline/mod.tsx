/** What has become of an actor, newest first; long gaps between two events are one line. */
import type { Child } from "@hono/hono/jsx";
import type { ActorEventRow } from "../../db/actor_events.ts";
import type { AboutCount } from "../../db/actor_history.ts";
import { Instant } from "../page.tsx";
import { spanWords } from "../spans.ts";
import { eventWords, fieldWords, sentence } from "../words.ts";
import { changesOf } from "./changes.ts";
import type { Line } from "./runs.ts";
import { Who } from "./who.tsx";

/** How long nothing has to happen before it is worth a line, in milliseconds. */
const GAP_MS = 24 * 60 * 60_000;

export interface TimelineProps {
  /** Newest first. */
  lines: readonly Line[];
  /** The id of who looks. */
  viewer: string;
  /** Where one sees how it was after an event. */
  momentHref?: (sequence: number) => string;
  /** Where the events up to a sequence are. */
  pageHref?: (upTo: number) => string;
  /** The sequence of the event that the page is about; the present without one. */
  shown?: number | undefined;
  /** What else there is to say about an event, such as a reason. */
  note?: (event: ActorEventRow) => Child;
  newerHref?: string | undefined;
  olderHref?: string | undefined;
  /** The page on which it all begins. */
  oldestHref?: string | undefined;
}

export function Timeline({ lines, newerHref, olderHref, oldestHref, ...rest }: TimelineProps) {
  if (lines.length === 0) return <p class="empty">The journal has nothing here.</p>;
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
          {oldestHref && <a href={oldestHref}>The beginning</a>}
        </nav>
      )}
    </>
  );
}

type Rest = Omit<TimelineProps, "lines">;

function Moment(
  { event, viewer, momentHref, shown, note }: Rest & { event: ActorEventRow },
) {
  const { sequence, eventType, about, changedFields, at } = event;
  const here = sequence === shown;
  const later = shown !== undefined && sequence > shown;
  const said = note?.(event);
  return (
    <li
      class={here ? "moment here" : later ? "moment later" : "moment"}
      id={`event-${sequence}`}
      aria-current={here ? "step" : undefined}
    >
      <p class="moment-head">
        <strong>{sentence(eventWords(eventType, about))}</strong>
        {momentHref && <MomentLink sequence={sequence} momentHref={momentHref} />}
      </p>
      <States event={event} />
      {said && <p class="moment-note">{said}</p>}
      <p class="moment-by">
        <Instant at={at} /> by{" "}
        <Who
          id={event.principalId}
          type={event.principalType}
          service={event.principalService}
          viewer={viewer}
        />
        {changedFields.length > 0 && ` · changed ${fieldWords(changedFields)}`}
      </p>
    </li>
  );
}

/** Events that tell the same, in one line that opens. */
function Run({ line, viewer, momentHref, pageHref, shown }: Rest & { line: Line }) {
  const { events, newest, oldest, about, period, times, more } = line;
  const one = events.slice(0, period).toReversed();
  const last = events.at(-1)!;
  const common = period > 1 || about.length === 1;
  const words = one.map((event) => eventWords(event.eventType, common ? event.about : null));
  return (
    <li class={shown !== undefined && oldest.sequence > shown ? "moment later" : "moment"}>
      <p class="moment-head">
        <strong>
          {sentence(words.join(", "))}, {more && "at least "}
          {times.toLocaleString("en")} times
        </strong>
      </p>
      {common ? <Regions events={one} /> : <Counts about={about} />}
      <p class="moment-by">
        by{" "}
        <Who
          id={newest.principalId}
          type={newest.principalType}
          service={newest.principalService}
          viewer={viewer}
        />, from <Instant at={oldest.at} /> to <Instant at={newest.at} />
      </p>
      <details id={`run-${oldest.sequence}`}>
        <summary>{events.length === times * period ? "Each of them" : `${events.length} of them`}</summary>
        <ol class="run">
          {events.map(({ sequence, at }) => (
            <li id={`event-${sequence}`}>
              <Instant at={at} /> {momentHref && <MomentLink sequence={sequence} momentHref={momentHref} />}
            </li>
          ))}
        </ol>
        {pageHref && last.sequence > oldest.sequence && (
          <a href={pageHref(last.sequence - 1)}>
            Earlier ones
          </a>
        )}
      </details>
    </li>
  );
}

/** How often a run was about each service. */
function Counts({ about }: { about: readonly AboutCount[] }) {
  const words = about.map(({ about, times }) =>
    `${about ?? "service not recorded"} ${times === 1 ? "once" : `${times.toLocaleString("en")} times`}`
  );
  return <p class="moment-states">{words.join(", ")}</p>;
}

/** The regions whose states come and go, where an earlier version did not record the service. */
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
    <a class="moment-link" href={momentHref(sequence)} aria-label={`How it was after event ${sequence}`}>
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
  return <li class="gap">{spanWords(length)} nothing happened</li>;
}
