/** The page of one request: what is going on, what can be done, and everything that it rests on. */
import { mayReadValues } from "../../domain/authorization.ts";
import type { ReceiptFile } from "../../actors/gdpr/receipts/file.ts";
import type { Charts } from "../chart/mod.tsx";
import { shortId } from "../overview/words.ts";
import { Page } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { Actions, type Attempt } from "./actions.tsx";
import { Documents, type Export } from "./documents.tsx";
import { Facts } from "./facts.tsx";
import { Messages } from "./messages.tsx";
import { Next } from "./next.tsx";
import { Participants } from "./participants.tsx";
import type { RequestReading, View } from "./read.ts";
import { Situation } from "./situation_line.tsx";
import { History } from "./history.tsx";
import { Moment, Steps, type To } from "./travel.tsx";

export interface RequestPageProps {
  c: InspectContext;
  view: View;
  reading: RequestReading;
  /** The statechart. */
  chart: Awaited<ReturnType<Charts["render"]>>;
  receipt: ReceiptFile | undefined;
  exported: Export | undefined;
  /** What has been done, or why it has not been done. */
  attempt: Attempt | undefined;
}

export function RequestPage(props: RequestPageProps) {
  const { c, view, reading, chart, receipt, exported, attempt } = props;
  const { fingerprint, row, standing, moment } = reading;
  const to: To = (rest = "") => inStore(c, `/inspect/requests/${view.requestId}${rest}`);
  const live = moment ? {} : { live: { path: to("/live"), fingerprint } };
  return (
    <Page c={c} title={titleOf(reading)} {...live}>
      {attempt && <Notice {...attempt} />}
      {moment && <Moment to={to} moment={moment} />}
      <div data-part="situation">
        <Situation standing={standing} />
      </div>
      <div data-part="facts">
        <Facts c={c} reading={reading} />
      </div>
      {!moment && (
        <section data-part="actions">
          <Actions c={c} to={to} reading={reading} attempt={attempt} />
        </section>
      )}
      <div class="request-course">
        <section class="request-chart">
          <div class="request-head">
            <h2 id="chart">Where it stands</h2>
            <div data-part="steps">
              <Steps to={to} at={view.at} version={row.version} />
            </div>
          </div>
          <div data-part="chart">{chart}</div>
        </section>
        <section class="request-timeline">
          <h2 id="timeline">Timeline</h2>
          <div data-part="timeline" class="tall" role="region" aria-labelledby="timeline" tabindex={0}>
            <History to={to} view={view} reading={reading} viewer={c.var.by.id} />
          </div>
        </section>
      </div>
      {!moment && (
        <>
          <section data-part="participants">
            <Participants reading={reading} />
          </section>
          <section data-part="next">
            <Next reading={reading} />
          </section>
          <section data-part="documents">
            <Documents
              to={to}
              row={row}
              receipt={receipt}
              exported={exported}
              mayDownload={mayReadValues(c.var.by)}
            />
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

/** With the end of the id, as the lists have it, so that two of them can be told apart among a browser's tabs. */
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
