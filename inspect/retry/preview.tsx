/** What would be tried again, before anything is. */
import type { Asked } from "../overview/query.ts";
import { searchOf } from "../overview/query.ts";
import { shortId, statusWords, typeWords } from "../overview/words.ts";
import { Instant, Page } from "../page.tsx";
import { DECISION_WORDS } from "../request/decisions.ts";
import { type InspectContext, inStore } from "../session.ts";
import { counted } from "../spans.ts";
import { sentence } from "../words.ts";
import { AT_ONCE, type Plan, type Retry, writeRetries } from "./plan.ts";
import { filterWords, retryWords } from "./words.ts";

export function Preview({ c, asked, plan }: { c: InspectContext; asked: Asked; plan: Plan }) {
  const { wanted, notices } = asked;
  const { retries, helpless, more } = plan;
  const filters = filterWords(wanted);
  return (
    <Page c={c} title="Retry what is stuck">
      <p>
        <a href={inStore(c, `/inspect${searchOf(wanted, "due")}`)}>Back to the list</a>
      </p>
      <p>
        {filters.length === 0
          ? "This is about every request of the store that got stuck"
          : `This is about the stuck requests with ${filters.join(", ")}`}
        : a service does not answer, or a step was given up after many failures.
      </p>
      {notices.length > 0
        ? (
          <div class="problem" role="alert">
            {notices.map((notice) => <p>{notice}</p>)}
            <p>Nothing can be retried from here, as it would be more than was asked for.</p>
          </div>
        )
        : retries.length === 0
        ? <p class="empty">There is nothing to retry.</p>
        : <Form c={c} asked={asked} retries={retries} more={more} />}
      {retries.length > 0 && (
        <div class="scroll" role="region" aria-label="What would be retried" tabindex={0}>
          <table class="requests">
            <caption>What would be retried, the most urgent first</caption>
            <thead>
              <tr>
                <th scope="col">Request</th>
                <th scope="col">Type</th>
                <th scope="col">Status</th>
                <th scope="col">Due</th>
                <th scope="col">What is done</th>
              </tr>
            </thead>
            <tbody>{retries.map((retry) => <Row c={c} {...retry} />)}</tbody>
          </table>
        </div>
      )}
      {helpless.length > 0 && (
        <>
          <h2>Stuck, but not for a retry</h2>
          <ul>
            {helpless.map(({ request: { requestId }, reason }) => (
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
  { c, asked: { wanted }, retries, more }: {
    c: InspectContext;
    asked: Asked;
    retries: readonly Retry[];
    more: boolean;
  },
) {
  const { csrf } = c.var;
  return (
    <form class="retry" method="post" action={inStore(c, `/inspect/retry${searchOf(wanted, "due")}`)}>
      {csrf !== undefined && <input type="hidden" name="csrf" value={csrf} />}
      <input type="hidden" name="key" value={crypto.randomUUID()} />
      <input type="hidden" name="retries" value={writeRetries(retries)} />
      {more && (
        <p>
          There are more than {AT_ONCE}. These are the most urgent ones; the others can be retried afterwards.
        </p>
      )}
      <label for="reason">Reason (optional)</label>
      <p id="reason-hint" class="hint">{DECISION_WORDS.retry.reason} of each. Leave out what is personal.</p>
      <textarea id="reason" name="reason" rows={2} maxlength={500} aria-describedby="reason-hint">
      </textarea>
      <button type="submit">Retry {counted(retries.length, "request")} now</button>
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
      <td data-label="Type">{sentence(typeWords(type))}</td>
      <td data-label="Status">{statusWords({ status, outcome, state })}</td>
      <td data-label="Due">
        <Instant at={dueAt} />
      </td>
      <td data-label="What is done">{sentence(retryWords(services))}</td>
    </tr>
  );
}
