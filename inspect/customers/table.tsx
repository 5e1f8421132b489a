/** Table of customers with their personal values, for roles that may read them. */
import type { FoundCustomer } from "../../db/customer_search.ts";
import { capitalize, stateLabel } from "../labels.ts";
import { shortId } from "../overview/labels.ts";
import { Instant } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";

export function CustomerTable(
  { c, caption, customers }: { c: InspectContext; caption: string; customers: readonly FoundCustomer[] },
) {
  return (
    <div class="scroll" role="region" aria-label={caption} tabindex={0}>
      <table class="requests customers">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Email</th>
            <th scope="col">Phone</th>
            <th scope="col">Account</th>
            <th scope="col">Registered</th>
            <th scope="col">ID</th>
          </tr>
        </thead>
        <tbody>{customers.map((customer) => <Row c={c} customer={customer} />)}</tbody>
      </table>
    </div>
  );
}

function Row({ c, customer }: { c: InspectContext; customer: FoundCustomer }) {
  const { customerId, firstName, lastName, email, phone, status, anonymizedAt, createdAt } = customer;
  const name = [firstName, lastName].filter((part) => part !== null).join(" ");
  return (
    <tr>
      <th scope="row">
        <a class="row-link" href={inStore(c, `/inspect/customers/${customerId}`)}>
          {name !== "" ? <bdi>{name}</bdi> : anonymizedAt ? "Erased" : "No name"}
        </a>
      </th>
      <td data-label="Email">
        <Email email={email} />
      </td>
      <td data-label="Phone">
        <Value value={phone} />
      </td>
      <td data-label="Account" class={status === "ACTIVE" ? undefined : "held"}>
        {anonymizedAt
          ? (
            <>
              Erased on <Instant at={anonymizedAt} />
            </>
          )
          : capitalize(stateLabel(status.toLowerCase()))}
      </td>
      <td data-label="Registered">
        <Instant at={createdAt} />
      </td>
      <td data-label="ID">
        <code title={customerId}>{shortId(customerId)}</code>
      </td>
    </tr>
  );
}

/** An email that breaks after the @, where it has to. */
function Email({ email }: { email: string | null }) {
  if (email === null) return <Value value={null} />;
  const at = email.indexOf("@") + 1;
  return (
    <bdi>
      {email.slice(0, at)}
      <wbr />
      {email.slice(at)}
    </bdi>
  );
}

function Value({ value }: { value: string | null }) {
  return value === null ? <span class="none">–</span> : <bdi>{value}</bdi>;
}
