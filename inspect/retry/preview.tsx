/** Preview of a bulk retry, with the form that starts it. */
import type { OverviewQuery } from "../overview/query.ts";
import { toSearch } from "../overview/query.ts";
import { shortId, statusLabel, typeLabel } from "../overview/labels.ts";
import { Instant, Page } from "../page.tsx";
import { FreeText } from "../request/actions.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { formatCount } from "../durations.ts";
import { capitalize } from "../labels.ts";
import { formatRetries, MAX_REQUESTS, type Plan, type Retry } from "./plan.ts";
import { describeFilters } from "../overview/filter_labels.ts";
import { describeRetry } from "./labels.ts";

export function Preview({ c, query, plan }: { c: InspectContext; query: OverviewQuery; plan: Plan }) {
  const { filters, notices } = query;
  const { retries, notRetryable, more } = plan;
  const filterTexts = describeFilters(filters);
  return (
    <Page c={c} title="Retry stuck requests">
      <p>
        <a href={inStore(c, `/inspect${toSearch(filters, "due")}`)}>Back to the list</a>
      </p>
      <p>
        {filterTexts.length === 0
          ? "All stuck requests of the store"
          : `Stuck requests with ${filterTexts.join(", ")}`}
        : a service does not answer, or a step failed permanently.
      </p>
      {notices.length > 0
        ? (
          <div class="problem" role="alert">
            {notices.map((notice) => <p>{notice}</p>)}
            <p>
              Correct the address first: without these filters, the retry would include more requests than
              intended.
            </p>
          </div>
        )
        : retries.length === 0
        ? <p class="empty">No requests to retry.</p>
        : <Form c={c} query={query} retries={retries} more={more} />}
      {retries.length > 0 && (
        <div class="scroll" role="region" aria-label="Requests to retry" tabindex={0}>
          <table class="requests">
            <caption>Requests to retry, the most urgent first</caption>
            <thead>
              <tr>
                <th scope="col">Request</th>
                <th scope="col">Type</th>
                <th scope="col">Status</th>
                <th scope="col">Due</th>
                <th scope="col">Action</th>
              </tr>
            </thead>
            <tbody>{retries.map((retry) => <Row c={c} {...retry} />)}</tbody>
          </table>
        </div>
      )}
      {notRetryable.length > 0 && (
        <>
          <h2>Stuck requests that cannot be retried</h2>
          <ul>
            {notRetryable.map(({ request: { requestId }, reason }) => (
              <li>
                <a href={inStore(c, `/inspect/requests/${requestId}`)}>
                  <code>{requestId}</code>
                </a>: {reason}
              </li>
            ))}
          </ul>
        </>
      )}
    </Page>
  );
}

function Form(
  { c, query: { filters }, retries, more }: {
    c: InspectContext;
    query: OverviewQuery;
    retries: readonly Retry[];
    more: boolean;
  },
) {
  const { csrf } = c.var;
  return (
    <form class="retry" method="post" action={inStore(c, `/inspect/retry${toSearch(filters, "due")}`)}>
      {csrf !== undefined && <input type="hidden" name="csrf" value={csrf} />}
      <input type="hidden" name="key" value={crypto.randomUUID()} />
      <input type="hidden" name="retries" value={formatRetries(retries)} />
      {more && (
        <p>
          There are more than {MAX_REQUESTS}{" "}
          stuck requests. These are the most urgent ones; retry the others afterwards.
        </p>
      )}
      <FreeText
        id="note"
        name="note"
        label="Note for staff"
        hint="Shown in the timeline of each request, and not to the customer"
      />
      <button type="submit">Retry {formatCount(retries.length, "request")} now</button>
    </form>
  );
}

function Row({ c, request, services }: { c: InspectContext } & Plan["retries"][number]) {
  const { requestId, type, status, outcome, dueAt } = request;
  const state = (request.snapshot as { value?: unknown }).value;
  return (
    <tr>
      <th scope="row">
        <a href={inStore(c, `/inspect/requests/${requestId}`)} title={requestId}>
          <code>{shortId(requestId)}</code>
        </a>
      </th>
      <td data-label="Type">{capitalize(typeLabel(type))}</td>
      <td data-label="Status">{statusLabel({ status, outcome, state })}</td>
      <td data-label="Due">
        <Instant at={dueAt} />
      </td>
      <td data-label="Action">{capitalize(describeRetry(services))}</td>
    </tr>
  );
}
