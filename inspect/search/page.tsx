/** Page of the search: persons and requests that match. */
import { hasStaffRight } from "../../domain/staff_rights.ts";
import { formatCount } from "../durations.ts";
import { capitalize, stateLabel } from "../labels.ts";
import { toSearch } from "../overview/query.ts";
import { Requests } from "../overview/table.tsx";
import { Instant, Page } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { type Findings, type FoundPerson, PERSONS, REQUESTS } from "./find.ts";
import { describeInterpretation, type Interpretation, isNationalPhone } from "./interpret.ts";

export interface Results extends Findings {
  interpretation: Interpretation;
  /** Whether the page shows personal values. */
  hasValues: boolean;
  /** Whether the page shows requests, and links to them. */
  mayReadRequests: boolean;
  now: Date;
}

export function SearchPage(
  { c, text, problem, results }: {
    c: InspectContext;
    text: string;
    problem: string | undefined;
    /** Undefined: nothing was searched. */
    results: Results | undefined;
  },
) {
  return (
    <Page c={c} title="Search" search={text}>
      {problem !== undefined && <p class="problem" role="alert">{problem}</p>}
      {results && <Found c={c} text={text} results={results} />}
      {results && results.persons.length > 0
        ? null
        : <Help mayReadRequests={hasStaffRight("READ_GDPR_REQUESTS", c.var.by)} />}
    </Page>
  );
}

function Found({ c, text, results }: { c: InspectContext; text: string; results: Results }) {
  const { persons, requests, hasMorePersons, hasMoreRequests, interpretation, hasValues, now } = results;
  if (persons.length === 0) return <Nothing text={text} results={results} />;
  return (
    <>
      <p role="status">
        {hasMorePersons
          ? `More than ${formatCount(PERSONS, "person")}`
          : formatCount(persons.length, "person")} found. The text was searched as{" "}
        {describeInterpretation(interpretation)}.
        {hasMorePersons && " Enter more to find fewer."}
        {!hasValues && " Your role does not show personal values, so only whole values are searched."}
      </p>
      <Persons c={c} persons={persons} results={results} />
      {requests.length > 0 && (
        <>
          <h2>GDPR requests</h2>
          <Requests
            c={c}
            caption={hasMoreRequests
              ? `The newest ${REQUESTS} requests of these persons`
              : `${formatCount(requests.length, "request")} of these persons, newest first`}
            requests={requests}
            now={now}
          />
        </>
      )}
    </>
  );
}

function Nothing({ text, results: { interpretation, hasValues } }: { text: string; results: Results }) {
  const searched = describeInterpretation(interpretation);
  return (
    <>
      <p class="empty" role="status">
        {searched === ""
          ? "Nothing was found: the text is neither an email address, a name, a phone number nor an ID."
          : `Nothing was found. The text was searched as ${searched}.`}
      </p>
      {isNationalPhone(text) && <p>Enter a phone number with its country code, such as +41 44 555 12 34.</p>}
      {!hasValues && (
        <p>
          Your role does not show personal values, so only whole names, email addresses and numbers match.
        </p>
      )}
    </>
  );
}

function Help({ mayReadRequests }: { mayReadRequests: boolean }) {
  return (
    <ul class="search-help">
      <li>
        {mayReadRequests
          ? "An email address finds customers, persons without an account, and persons who were erased."
          : "An email address or its beginning finds customers."}
      </li>
      <li>A first name, a last name or both, and a phone number with its country code, find customers.</li>
      <li>
        {mayReadRequests
          ? "An ID finds a customer or a request. Its last eight digits, which lists show, find requests and the persons they are about."
          : "The whole ID finds a customer."}
      </li>
    </ul>
  );
}

function Persons(
  { c, persons, results }: { c: InspectContext; persons: readonly FoundPerson[]; results: Results },
) {
  const { hasValues, mayReadRequests } = results;
  return (
    <div class="scroll" role="region" aria-label="Persons" tabindex={0}>
      <table class="requests persons">
        <caption>Persons</caption>
        <thead>
          <tr>
            <th scope="col">ID</th>
            {hasValues && <th scope="col">Name</th>}
            {hasValues && <th scope="col">Email</th>}
            <th scope="col">Found by</th>
            <th scope="col">Account</th>
            {mayReadRequests && <th scope="col">Requests</th>}
          </tr>
        </thead>
        <tbody>{persons.map((person) => <Row c={c} person={person} results={results} />)}</tbody>
      </table>
    </div>
  );
}

function Row(
  { c, person, results: { hasValues, mayReadRequests } }: {
    c: InspectContext;
    person: FoundPerson;
    results: Results;
  },
) {
  const { customerId, status, email, firstName, lastName, matches, requests } = person;
  const name = [firstName, lastName].filter((part) => part !== null).join(" ");
  return (
    <tr>
      <th scope="row">
        {status === null
          ? <code>{customerId}</code>
          : (
            <a href={inStore(c, `/inspect/customers/${customerId}`)}>
              <code>{customerId}</code>
            </a>
          )}
      </th>
      {hasValues && <td data-label="Name">{name === "" ? <span class="none">–</span> : <bdi>{name}</bdi>}
      </td>}
      {hasValues && (
        <td data-label="Email">{email === null ? <span class="none">–</span> : <bdi>{email}</bdi>}</td>
      )}
      <td data-label="Found by">{capitalize(matches.join(", "))}</td>
      <td data-label="Account">
        <Account c={c} person={person} mayReadRequests={mayReadRequests} />
      </td>
      {mayReadRequests && (
        <td data-label="Requests">
          {requests === 0
            ? <span class="none">none</span>
            : (
              <a href={inStore(c, `/inspect${toSearch({ customer: customerId }, "newest")}`)}>
                {formatCount(requests, "request")}
              </a>
            )}
        </td>
      )}
    </tr>
  );
}

function Account(
  { c, person: { status, erasedAt, isBeingErased, receipts }, mayReadRequests }: {
    c: InspectContext;
    person: FoundPerson;
    mayReadRequests: boolean;
  },
) {
  if (erasedAt === null) {
    return <>{status === null ? "Without an account" : capitalize(stateLabel(status.toLowerCase()))}</>;
  }
  if (!mayReadRequests) {
    return (
      <>
        Erased on <Instant at={erasedAt} />
      </>
    );
  }
  const receipt = receipts[0];
  return (
    <>
      Erased on <Instant at={erasedAt} />, {receipt
        ? (
          <a href={inStore(c, `/inspect/requests/${receipt.requestId}/receipt/page`)}>
            receipt no. {receipt.sequence.toLocaleString("en")}
          </a>
        )
        : isBeingErased
        ? "no receipt yet: the erasure is not completed"
        : "this database has no receipt"}
    </>
  );
}
