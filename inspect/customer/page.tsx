/** Page of one customer: account status, personal values, requests, groups, statechart and timeline. */
import type { Child } from "@hono/hono/jsx";
import type { Charts } from "../chart/mod.tsx";
import { toSearch } from "../overview/query.ts";
import { Requests } from "../overview/table.tsx";
import { shortId } from "../overview/labels.ts";
import { Page } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { hasStaffRight } from "../../domain/staff_rights.ts";
import { AttemptMessage, type FormAttempt } from "../fields.tsx";
import { AccountForms } from "./account.tsx";
import { Addresses } from "./addresses.tsx";
import { Course } from "./course.tsx";
import { AccountStatus, Facts } from "./facts.tsx";
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
  /** Result of a form that changes the customer. */
  change?: FormAttempt | undefined;
  /** A form that was just submitted and refused. */
  refused: RefusedOpening | undefined;
}

export function CustomerPage(props: CustomerPageProps) {
  const { c, view, reading, attempt, change } = props;
  const { facts, values, holds } = reading;
  const path = `/inspect/customers/${view.customerId}`;
  const live = { path: inStore(c, `${path}/live`), fingerprint: reading.fingerprint };
  const section = { c, path: inStore(c, `${path}/changes`), reading, attempt: change };
  return (
    <Page c={c} title={`Customer ${shortId(view.customerId)}`} live={live}>
      <AttemptMessage attempt={change} />
      <AttemptMessage attempt={attempt && { done: attempt.done, message: attempt.message }} />
      <div data-part="status">
        <AccountStatus c={c} reading={reading} />
      </div>
      <div data-part="account" id="account">
        <AccountForms {...section} />
      </div>
      <Section name="person" title="Person">
        <Profile {...section} />
      </Section>
      {values && !facts.anonymizedAt && (
        <Section name="addresses" title="Addresses">
          <Addresses {...section} />
        </Section>
      )}
      <Section name="groups" title="Groups and price list">
        <Groups {...section} />
      </Section>
      <Section name="facts" title="Account">
        <Facts view={view} reading={reading} />
      </Section>
      <AboutRequests {...props} path={path} />
      {holds && (
        <Section name="holds" title="Legal holds">
          <Holds
            c={c}
            customerId={view.customerId}
            version={facts.version}
            commands={reading.commands}
            holds={holds}
            attempt={attempt}
          />
        </Section>
      )}
      <Course {...props} path={path} />
    </Page>
  );
}

type PartProps = CustomerPageProps & { path: string };

/** The requests about the customer, and the form that opens one; nothing for a viewer who may not read them. */
function AboutRequests({ c, view, reading: { requests, facts }, now, refused, path }: PartProps) {
  if (!requests) return null;
  return (
    <>
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
      {facts.anonymizedAt === null && hasStaffRight("OPEN_GDPR_REQUESTS", c.var.by) && (
        <section class="actions">
          <OpeningForm c={c} path={`${path}/requests`} hasAccount refused={refused} />
        </section>
      )}
    </>
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
