/** A page of requests: what each is, who is waited for, and when it is due. */
import type { Child } from "@hono/hono/jsx";
import type { FoundRequest } from "../../db/gdpr_search.ts";
import { Instant } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { spanWords } from "../spans.ts";
import { sentence } from "../words.ts";
import { atRiskUntil, searchOf, type Sort, type Wanted } from "./query.ts";
import { shortId, statusWords, typeWords, waitedFor } from "./words.ts";

interface Order {
  wanted: Wanted;
  sort: Sort;
}

/** @param order absent where the table is not for sorting */
export function Requests(
  { c, caption, requests, now, order }: {
    c: InspectContext;
    caption: string;
    requests: readonly FoundRequest[];
    now: Date;
    order?: Order;
  },
) {
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
        <tbody>{requests.map((request) => <Row c={c} request={request} now={now} />)}</tbody>
      </table>
    </div>
  );
}

const SAYS: Record<Sort, string> = {
  due: "the most urgent first",
  newest: "the newest first",
  oldest: "the oldest first",
};

/** A head whose link sorts by its column, and the other way round when it does already. */
function Sortable(
  { c, order, sorts, children }: {
    c: InspectContext;
    order: Order | undefined;
    sorts: Partial<Record<Sort, "ascending" | "descending">>;
    children: Child;
  },
) {
  if (!order) return <th scope="col">{children}</th>;
  const ways = Object.keys(sorts) as Sort[];
  const now = sorts[order.sort];
  const next = ways.find((way) => way !== order.sort) ?? ways[0]!;
  return (
    <th scope="col" aria-sort={now ?? "none"}>
      <a href={inStore(c, `/inspect${searchOf(order.wanted, next)}`)} title={sentence(SAYS[next])}>
        {children} <span aria-hidden="true">{now === undefined ? "↕" : now === "ascending" ? "↑" : "↓"}</span>
      </a>
    </th>
  );
}

function Row({ c, request, now }: { c: InspectContext; request: FoundRequest; now: Date }) {
  const { requestId, customerId, type, createdAt, held } = request;
  const waited = waitedFor(request);
  return (
    <tr id={`request-${requestId}`}>
      <th scope="row">
        <a href={inStore(c, `/inspect/requests/${requestId}`)} title={requestId}>
          <code>{shortId(requestId)}</code>
        </a>
      </th>
      <td data-label="Type">{sentence(typeWords(type))}</td>
      <td data-label="Status" class={held ? "held" : undefined}>{statusWords(request)}</td>
      <td data-label="Waiting for">
        {waited.length === 0
          ? <span class="none">nobody</span>
          : <ul class="waited">{waited.map((who) => <li>{who}</li>)}</ul>}
      </td>
      <td data-label="Due">
        <Due request={request} now={now} />
      </td>
      <td data-label="Opened">
        <Instant at={createdAt} />
      </td>
      <td data-label="Customer">
        <a href={inStore(c, `/inspect/customers/${customerId}`)} title={customerId}>
          <code>{shortId(customerId)}</code>
        </a>
      </td>
    </tr>
  );
}

function Due({ request: { completedAt, dueAt }, now }: { request: FoundRequest; now: Date }) {
  if (completedAt) {
    const late = completedAt.getTime() - dueAt.getTime();
    return (
      <div>
        <span class={late > 0 ? "due-words risk" : "due-words quiet"}>
          {late > 0 ? `Completed, late by ${spanWords(late)}` : "Completed"}
        </span>{" "}
        <Instant at={completedAt} />
      </div>
    );
  }
  const left = dueAt.getTime() - now.getTime();
  const [tone, words] = left < 0
    ? ["alarm", `Overdue by ${spanWords(left)}`]
    : dueAt <= atRiskUntil(now)
    ? ["risk", `At risk: due in ${spanWords(left)}`]
    : ["quiet", `Due in ${spanWords(left)}`];
  return (
    <div>
      <span class={`due-words ${tone}`}>{words}</span> <Instant at={dueAt} />
    </div>
  );
}
