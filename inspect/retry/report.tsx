/** Report of a bulk retry. */
import { type FilterValues, toSearch } from "../overview/query.ts";
import { Page } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { formatCount } from "../durations.ts";
import type { Result } from "./perform.ts";
import { describeRetry } from "./labels.ts";

export function Report(
  { c, filters, results }: { c: InspectContext; filters: FilterValues; results: readonly Result[] },
) {
  const done = results.filter(({ refusal }) => !refusal);
  const refusedResults = results.filter(({ refusal }) => refusal);
  const search = toSearch(filters, "due");
  return (
    <Page c={c} title="Retried">
      <p>
        <a href={inStore(c, `/inspect${search}`)}>Back to the list</a>
      </p>
      <p role="status">
        {formatCount(done.length, "request")} retried, {refusedResults.length} refused.
      </p>
      {refusedResults.length > 0 && (
        <>
          <h2>Refused</h2>
          <List c={c} results={refusedResults} />
          <p>
            <a class="button" href={inStore(c, `/inspect/retry${search}`)}>Show stuck requests again…</a>
          </p>
        </>
      )}
      {done.length > 0 && (
        <>
          <h2>Retried</h2>
          <List c={c} results={done} />
        </>
      )}
    </Page>
  );
}

function List({ c, results }: { c: InspectContext; results: readonly Result[] }) {
  return (
    <ul>
      {results.map(({ requestId, done, refusal }) => (
        <li>
          <a href={inStore(c, `/inspect/requests/${requestId}`)}>
            <code>{requestId}</code>
          </a>: {done.length > 0 && describeRetry(done)}
          {done.length > 0 && refusal && "; then "}
          {refusal && `refused: ${refusal}`}
        </li>
      ))}
    </ul>
  );
}
