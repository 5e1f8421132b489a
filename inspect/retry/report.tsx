/** What has become of a bulk retry. */
import { searchOf, type Wanted } from "../overview/query.ts";
import { Page } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { counted } from "../spans.ts";
import type { Result } from "./perform.ts";
import { retryWords } from "./words.ts";

export function Report(
  { c, wanted, results }: { c: InspectContext; wanted: Wanted; results: readonly Result[] },
) {
  const done = results.filter(({ refusal }) => !refusal);
  const refused = results.filter(({ refusal }) => refusal);
  const search = searchOf(wanted, "due");
  return (
    <Page c={c} title="Retried">
      <p>
        <a href={inStore(c, `/inspect${search}`)}>Back to the list</a>
      </p>
      <p role="status">
        {counted(done.length, "request")} retried, {refused.length} refused.
      </p>
      {refused.length > 0 && (
        <>
          <h2>Refused</h2>
          <List c={c} results={refused} />
          <p>
            <a class="button" href={inStore(c, `/inspect/retry${search}`)}>Look again at what is stuck…</a>
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
          </a>: {done.length > 0 && retryWords(done)}
          {done.length > 0 && refusal && "; then "}
          {refusal && `refused, as ${refusal}`}
        </li>
      ))}
    </ul>
  );
}
