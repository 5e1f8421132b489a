/** Page of one customer: account status, personal values, requests, groups, statechart and timeline. */
import type { Child } from "@hono/hono/jsx";
import type { Charts } from "../chart/mod.tsx";
import { Zoom } from "../chart/zoom.tsx";
import { toSearch } from "../overview/query.ts";
import { Requests } from "../overview/table.tsx";
import { shortId } from "../overview/labels.ts";
import { Instant, Page } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { textsOf, Timeline } from "../timeline/mod.tsx";
import { EVENTS } from "../timeline/read.ts";
import { capitalize, eventLabel, stateLabel } from "../labels.ts";
import { retentionEnd } from "../../domain/retention.ts";
import { Groups } from "./groups.tsx";
import { type HoldAttempt, Holds } from "./holds.tsx";
import { OpeningForm, type RefusedOpening } from "../opening/form.tsx";
import { Profile } from "./profile.tsx";
import { type CustomerReading, type CustomerView, REQUESTS } from "./read.ts";

export interface CustomerPageProps {
  c: InspectContext;
  view: CustomerView;
  reading: CustomerReading;
  chart: Awaited<ReturnType<Charts["render"]>>;
  now: Date;
  /** Result of a form about holds. */
  attempt?: HoldAttempt | undefined;
  /** A form that was just submitted and refused. */
  refused: RefusedOpening | undefined;
}

export function CustomerPage({ c, view, reading, chart, now, attempt, refused }: CustomerPageProps) {
  const { fingerprint, facts, groups, requests, moment, holds } = reading;
  const path = `/inspect/customers/${view.customerId}`;
  const live = { path: inStore(c, `${path}/live`), fingerprint };
  return (
    <Page c={c} title={`Customer ${shortId(view.customerId)}`} live={live}>
      {attempt && (
        <p class={attempt.done ? "notice" : "problem"} role={attempt.done ? "status" : "alert"}>
          {attempt.message}
        </p>
      )}
      <div data-part="status">
        <AccountStatus c={c} reading={reading} />
      </div>
      <div data-part="facts">
        <Facts view={view} reading={reading} />
      </div>
      <Section name="person" title="Person">
        <Profile reading={reading} />
      </Section>
      <Section name="requests" title="GDPR requests">
        {requests.length === 0 ? <p class="empty">No request was opened about this customer.</p> : (
          <Requests
            c={c}
            caption="Requests about this customer, newest first"
            requests={requests.slice(0, REQUESTS)}
            now={now}
          />
        )}
        {requests.length > REQUESTS && (
          <p>
            <a href={inStore(c, `/inspect${toSearch({ customer: view.customerId }, "newest")}`)}>
              All requests of this customer
            </a>
          </p>
        )}
      </Section>
      {facts.anonymizedAt === null && (
        <section class="actions">
          <OpeningForm c={c} path={`${path}/requests`} hasAccount refused={refused} />
        </section>
      )}
      <Section name="holds" title="Legal holds">
        <Holds
          c={c}
          customerId={view.customerId}
          version={facts.version}
          isErased={facts.anonymizedAt !== null}
          holds={holds}
          attempt={attempt}
        />
      </Section>
      <Section name="groups" title="Groups and price list">
        <Groups groups={groups} anonymized={facts.anonymizedAt !== null} />
      </Section>
      <div class="request-course">
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
        <section class="request-timeline">
          <h2 id="timeline">Timeline</h2>
          <div data-part="timeline" class="tall" role="region" aria-labelledby="timeline" tabindex={0}>
            <History c={c} path={path} view={view} reading={reading} />
          </div>
        </section>
      </div>
    </Page>
  );
}

function Section({ name, title, children }: { name: string; title: string; children: Child }) {
  return (
    <section aria-labelledby={name}>
      <h2 id={name}>{title}</h2>
      <div data-part={name}>{children}</div>
    </section>
  );
}

/** Status of the account in one line. */
function AccountStatus({ c, reading: { facts } }: { c: InspectContext; reading: CustomerReading }) {
  const { status, anonymizedAt, erasedBy } = facts;
  if (!anonymizedAt) return <p class="situation">{capitalize(stateLabel(status.toLowerCase()))}</p>;
  return (
    <p class="situation">
      Anonymized on <Instant at={anonymizedAt} />
      {erasedBy && (
        <>
          , by erasure request{" "}
          <a href={inStore(c, `/inspect/requests/${erasedBy}`)} title={erasedBy}>
            <code>{shortId(erasedBy)}</code>
          </a>
        </>
      )}; the row, its ID and its history remain
    </p>
  );
}

function Facts(
  { view, reading: { facts, groups, retentionDays } }: { view: CustomerView; reading: CustomerReading },
) {
  const values: [string, Child][] = [
    ["Customer", <code>{view.customerId}</code>],
    ["Registered", <Instant at={facts.createdAt} />],
    ["Last changed", <Instant at={facts.updatedAt} />],
    ...(facts.anonymizedAt ? [] : [["Addresses", String(facts.addresses)] as [string, Child]]),
    ...(facts.closedAt ? [["Closed", <Instant at={facts.closedAt} />] as [string, Child]] : []),
    ...(facts.closedAt && !facts.anonymizedAt
      ? [[
        "Retention",
        <Retention
          closedAt={facts.closedAt}
          days={retentionDays}
          isAnnounced={facts.retentionAnnouncedAt !== null}
        />,
      ] as [string, Child]]
      : []),
    ["Groups", String(groups.length)],
    ["Version", String(facts.version)],
  ];
  return (
    <dl class="facts">
      {values.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Retention(
  { closedAt, days, isAnnounced }: { closedAt: Date; days: number | null; isAnnounced: boolean },
) {
  if (days === null) return <>without an end: the settings of the store name no period</>;
  return (
    <>
      until <Instant at={retentionEnd(closedAt, days)} />
      {isAnnounced ? "; an erasure request was opened" : "; an erasure request is opened before"}
    </>
  );
}

function History(
  { c, path, view: { at }, reading: { lines, facts: { events } } }: {
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
      momentHref={(sequence) => `${inStore(c, `${path}?at=${sequence}`)}#chart`}
      shown={at}
      texts={textsOf}
      pageHref={page}
      newerHref={newest < events ? page(Math.min(events, newest + EVENTS)) : undefined}
      olderHref={oldest > 1 ? page(oldest - 1) : undefined}
    />
  );
}
