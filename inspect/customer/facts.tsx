/** Account status of a customer, and facts that are not personal. */
import type { Child } from "@hono/hono/jsx";
import { retentionEnd } from "../../domain/retention.ts";
import { capitalize, stateLabel } from "../labels.ts";
import { shortId } from "../overview/labels.ts";
import { Instant } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import type { CustomerReading, CustomerView } from "./read.ts";

/** Status of the account in one line. */
export function AccountStatus(
  { c, reading: { facts, requests } }: { c: InspectContext; reading: CustomerReading },
) {
  const { status, anonymizedAt, erasedBy } = facts;
  if (!anonymizedAt) return <p class="situation">{capitalize(stateLabel(status.toLowerCase()))}</p>;
  return (
    <p class="situation">
      Anonymized on <Instant at={anonymizedAt} />
      {erasedBy && (
        <>
          , by erasure request {requests
            ? (
              <a href={inStore(c, `/inspect/requests/${erasedBy}`)} title={erasedBy}>
                <code>{shortId(erasedBy)}</code>
              </a>
            )
            : <code>{shortId(erasedBy)}</code>}
        </>
      )}; the row, its ID and its history remain
    </p>
  );
}

export function Facts(
  { view, reading: { facts, groups, retentionDays, holds } }: {
    view: CustomerView;
    reading: CustomerReading;
  },
) {
  const values: [string, Child][] = [
    ["Customer", <code>{view.customerId}</code>],
    ["Registered", <Instant at={facts.createdAt} />],
    ["Last changed", <Instant at={facts.updatedAt} />],
    ...(facts.anonymizedAt ? [] : [["Addresses", String(facts.addresses)] as [string, Child]]),
    ...(facts.closedAt ? [["Closed", <Instant at={facts.closedAt} />] as [string, Child]] : []),
    ...(facts.closedAt && !facts.anonymizedAt && holds
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
