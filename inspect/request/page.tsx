/** Page of one request: status, decisions, statechart, timeline, participants, pending work and documents. */
import { mayReadValues } from "../../domain/authorization.ts";
import type { Contact } from "../../actors/gdpr/requests/subject.ts";
import type { ReceiptFile } from "../../actors/gdpr/receipts/file.ts";
import type { Charts } from "../chart/mod.tsx";
import type { NextStep } from "../chart/movers.ts";
import { NextSteps } from "../chart/next_steps.tsx";
import { Zoom } from "../chart/zoom.tsx";
import { shortId } from "../overview/labels.ts";
import { Page } from "../page.tsx";
import { Missing, type MissingProps } from "../settings/missing.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { Actions, type Attempt } from "./actions.tsx";
import { Documents, type Export } from "./documents.tsx";
import { Facts } from "./facts.tsx";
import { Messages } from "./messages.tsx";
import { Notices } from "./notices.tsx";
import { PendingWork } from "./pending_work.tsx";
import { Participants, PastParticipants } from "./participants.tsx";
import type { RequestReading, RequestView } from "./read.ts";
import { Moves } from "./moves.tsx";
import { StatusLine } from "./status_line.tsx";
import { History } from "./history.tsx";
import { ChartChoice, type HrefTo, Moment, Steps } from "./time_travel.tsx";

export interface RequestPageProps {
  c: InspectContext;
  view: RequestView;
  reading: RequestReading;
  /** Of a person without an account, if the viewer may read it. */
  contact: Contact | undefined;
  /** The statechart. */
  chart: Awaited<ReturnType<Charts["render"]>>;
  receipt: ReceiptFile | undefined;
  exported: Export | undefined;
  /** Facts of the chart about the shown event of the past; undefined: the page shows the present. */
  past: { regions: ReadonlyMap<string, string>; next: readonly NextStep[] } | undefined;
  /** Result of the decision that was just submitted. */
  attempt: Attempt | undefined;
  /** What access documents lack. */
  missing: MissingProps;
}

export function RequestPage(props: RequestPageProps) {
  const { c, view, reading, contact, chart, past, receipt, exported, attempt, missing } = props;
  const { fingerprint, row, status, moment } = reading;
  const hrefTo: HrefTo = (rest = "") => inStore(c, `/inspect/requests/${view.requestId}${rest}`);
  const isPast = past !== undefined;
  const live = moment ? {} : { live: { path: hrefTo("/live"), fingerprint } };
  return (
    <Page c={c} title={titleOf(reading)} {...live}>
      {attempt && <Notice {...attempt} />}
      {moment && <Moment hrefTo={hrefTo} moment={moment} />}
      <div data-part="situation">
        <StatusLine status={status} />
      </div>
      {!moment && (
        <div data-part="moves" class="moves">
          <Moves reading={reading} csrf={c.var.csrf} hrefTo={hrefTo} />
        </div>
      )}
      <div data-part="facts">
        <Facts c={c} reading={reading} contact={contact} />
      </div>
      {!moment && (
        <section data-part="actions">
          <Actions c={c} hrefTo={hrefTo} reading={reading} attempt={attempt} chosen={view.chosen} />
        </section>
      )}
      <div class="request-course">
        <section class="request-chart">
          <div class="request-head">
            <h2 id="chart">Statechart</h2>
            <div data-part="steps">
              <Steps c={c} hrefTo={hrefTo} view={view} changes={reading.changes} />
            </div>
          </div>
          <div class="request-head">
            <Zoom />
            <ChartChoice hrefTo={hrefTo} view={view} />
          </div>
          <div data-part="chart">{chart}</div>
        </section>
        <section class="request-timeline">
          <h2 id="timeline">Timeline</h2>
          <div data-part="timeline" class="tall" role="region" aria-labelledby="timeline" tabindex={0}>
            <History hrefTo={hrefTo} view={view} reading={reading} viewer={c.var.by.id} />
          </div>
        </section>
      </div>
      {past && (
        <>
          <section data-part="participants">
            <PastParticipants reading={reading} states={past.regions} />
          </section>
          <section data-part="next">
            <h2 id="next">What could happen next</h2>
            {past.next.length === 0
              ? <p class="empty">Nothing: the request was completed.</p>
              : <NextSteps steps={past.next} />}
          </section>
        </>
      )}
      {!isPast && (
        <>
          <section data-part="participants">
            <Participants reading={reading} />
          </section>
          <section data-part="notices">
            <Notices c={c} hrefTo={hrefTo} reading={reading} />
          </section>
          <section data-part="next">
            <PendingWork reading={reading} />
          </section>
          <section data-part="documents">
            <Documents
              hrefTo={hrefTo}
              row={row}
              receipt={receipt}
              exported={exported}
              mayDownload={mayReadValues(c.var.by)}
            />
            {row.type === "ACCESS" && row.status !== "COMPLETED" && (
              <Missing {...missing} link={inStore(c, "/inspect/settings")} />
            )}
          </section>
          <section data-part="messages">
            <Messages messages={reading.messages} />
          </section>
        </>
      )}
    </Page>
  );
}

const TITLES = {
  ACCESS: "Access request",
  ERASURE: "Erasure request",
  PORTABILITY: "Portability request",
  RECTIFICATION: "Rectification request",
} as const;

/** Title with the end of the ID, so that browser tabs of two requests differ. */
function titleOf({ row: { type, requestId } }: RequestReading): string {
  return `${TITLES[type]} ${shortId(requestId)}`;
}

function Notice({ message, done }: Attempt) {
  return (
    <p class={done ? "notice" : "problem"} role={done ? "status" : "alert"}>
      {message}
    </p>
  );
}
