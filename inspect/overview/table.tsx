/** Table of requests with status, pending services and due date. */
import type { Child } from "@hono/hono/jsx";
import type { FoundRequest } from "../../db/gdpr_search.ts";
import type { ParticipantWait } from "../../db/participant_waits.ts";
import { isNoticeLate } from "../../domain/notices.ts";
import { Instant } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { formatDuration } from "../durations.ts";
import { capitalize } from "../labels.ts";
import { WordsText } from "../request/status_line.tsx";
import { describeWaitShortly, isGivenUp } from "../waits.ts";
import { atRiskUntil, type FilterValues, type Sort, toSearch } from "./query.ts";
import { shortId, statusLabel, typeLabel, waitingFor } from "./labels.ts";

interface Order {
  filters: FilterValues;
  sort: Sort;
}

/** @param order current order; absent: the table cannot be sorted */
export function Requests(
  { c, caption, requests, now, order, waits = [] }: {
    c: InspectContext;
    caption: string;
    requests: readonly FoundRequest[];
    now: Date;
    order?: Order;
    /** Calls to the participants that the requests wait for; absent: the table names the participants only. */
    waits?: readonly ParticipantWait[];
  },
) {
  const waitsOf = Map.groupBy(waits, ({ requestId }) => requestId);
  return (
    <div class="scroll" role="region" aria-label={caption} tabindex={0}>
      <table class="requests">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Request</th>
            <th scope="col">Type</th>
            <th scope="col">Status</th>
            <th scope="col">Waiting for</th>
            <Sortable c={c} order={order} sorts={{ due: "ascending" }}>Due</Sortable>
            <Sortable c={c} order={order} sorts={{ newest: "descending", oldest: "ascending" }}>
              Opened
            </Sortable>
            <th scope="col">Customer</th>
          </tr>
        </thead>
        <tbody>
          {requests.map((request) => (
            <Row c={c} request={request} now={now} waits={waitsOf.get(request.requestId) ?? []} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

const SORT_LABELS: Record<Sort, string> = {
  due: "the most urgent first",
  newest: "the newest first",
  oldest: "the oldest first",
};

/** Column header with a link that sorts by the column, and reverses the order on the second click. */
function Sortable(
  { c, order, sorts, children }: {
    c: InspectContext;
    order: Order | undefined;
    sorts: Partial<Record<Sort, "ascending" | "descending">>;
    children: Child;
  },
) {
  if (!order) return <th scope="col">{children}</th>;
  const options = Object.keys(sorts) as Sort[];
  const now = sorts[order.sort];
  const next = options.find((option) => option !== order.sort) ?? options[0]!;
  return (
    <th scope="col" aria-sort={now ?? "none"}>
      <a href={inStore(c, `/inspect${toSearch(order.filters, next)}`)} title={capitalize(SORT_LABELS[next])}>
        {children} <span aria-hidden="true">{now === undefined ? "↕" : now === "ascending" ? "↑" : "↓"}</span>
      </a>
    </th>
  );
}

function Row(
  { c, request, now, waits }: {
    c: InspectContext;
    request: FoundRequest;
    now: Date;
    waits: readonly ParticipantWait[];
  },
) {
  const { requestId, customerId, isGuest, type, createdAt, held } = request;
  const waited = waitingFor(request);
  return (
    <tr id={`request-${requestId}`}>
      <th scope="row">
        <a class="row-link" href={inStore(c, `/inspect/requests/${requestId}`)} title={requestId}>
          <code>{shortId(requestId)}</code>
        </a>
      </th>
      <td data-label="Type">{capitalize(typeLabel(type))}</td>
      <td data-label="Status" class={held ? "held" : undefined}>
        {statusLabel(request)}
        <NotInformed notices={request.notices} now={now} />
      </td>
      <td data-label="Waiting for">
        {waited.length === 0
          ? <span class="none">no one</span>
          : waits.length === 0
          ? <ul class="waited">{waited.map((name) => <li>{name}</li>)}</ul>
          : <ul class="waited">{waits.map((wait) => <Waited wait={wait} />)}</ul>}
      </td>
      <td data-label="Due">
        <Due request={request} now={now} />
      </td>
      <td data-label="Opened">
        <Instant at={createdAt} />
      </td>
      <td data-label="Customer">
        {isGuest
          ? <span title={customerId}>without an account</span>
          : (
            <a href={inStore(c, `/inspect/customers/${customerId}`)} title={customerId}>
              <code>{shortId(customerId)}</code>
            </a>
          )}
      </td>
    </tr>
  );
}

function Waited({ wait }: { wait: ParticipantWait }) {
  return (
    <li>
      {wait.service}{" "}
      <span class={isGivenUp(wait) ? "why alarm" : "why"}>
        <WordsText words={describeWaitShortly(wait)} />
      </span>
    </li>
  );
}

/** Since when the customer is not informed, if a notice is overdue or was never delivered. */
function NotInformed({ notices, now }: { notices: FoundRequest["notices"]; now: Date }) {
  const late = notices.map(({ delivery, dueAt }) => ({ delivery, dueAt: new Date(dueAt) }))
    .filter((notice) => isNoticeLate(notice, now));
  if (late.length === 0) return null;
  const since = Math.min(...late.map(({ dueAt }) => dueAt.getTime()));
  return (
    <div>
      <span class="due-words alarm">Customer not informed since</span> <Instant at={new Date(since)} />
    </div>
  );
}

function Due(
  { request: { completedAt, dueAt, informationRequestedAt }, now }: { request: FoundRequest; now: Date },
) {
  if (completedAt) {
    const late = completedAt.getTime() - dueAt.getTime();
    return (
      <div>
        <span class={late > 0 ? "due-words risk" : "due-words quiet"}>
          {late > 0 ? `Completed, late by ${formatDuration(late)}` : "Completed"}
        </span>{" "}
        <Instant at={completedAt} />
      </div>
    );
  }
  if (informationRequestedAt) {
    return (
      <div>
        <span class="due-words quiet">Paused since</span> <Instant at={informationRequestedAt} />
      </div>
    );
  }
  const remainingMs = dueAt.getTime() - now.getTime();
  const [tone, words] = remainingMs < 0
    ? ["alarm", `Overdue by ${formatDuration(remainingMs)}`]
    : dueAt <= atRiskUntil(now)
    ? ["risk", `At risk: due in ${formatDuration(remainingMs)}`]
    : ["quiet", `Due in ${formatDuration(remainingMs)}`];
  return (
    <div>
      <span class={`due-words ${tone}`}>{words}</span> <Instant at={dueAt} />
    </div>
  );
}
