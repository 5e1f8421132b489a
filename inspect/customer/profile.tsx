/** Personal values of a customer, for roles that may read them. */
import type { Address } from "../../db/lookups.ts";
import { PROFILE_LABELS, type ProfileField } from "../../domain/profile.ts";
import type { CustomerReading } from "./read.ts";

export function Profile({ reading: { values, facts } }: { reading: CustomerReading }) {
  if (facts.anonymizedAt) {
    return <p class="empty">The erasure removed all personal values.</p>;
  }
  if (!values) {
    return (
      <p class="empty">
        Hidden: your role may not read personal values. The roles CUSTOMER_SUPPORT, CUSTOMER_MANAGER and
        STORE_MANAGER may. The number of addresses is {facts.addresses}.
      </p>
    );
  }
  const { addresses } = values;
  return (
    <dl class="facts">
      {Object.entries(PROFILE_LABELS).map(([field, label]) => (
        <div>
          <dt>{label}</dt>
          <dd>{values[field as ProfileField] ?? <span class="none">none</span>}</dd>
        </div>
      ))}
      {addresses.map((address) => (
        <div>
          <dt>{["Address", ...defaultsOf(address)].join(", ")}</dt>
          <dd>{linesOf(address).join(", ")}</dd>
        </div>
      ))}
    </dl>
  );
}

function defaultsOf({ isDefaultShipping, isDefaultBilling }: Address): string[] {
  return [...isDefaultShipping ? ["for shipping"] : [], ...isDefaultBilling ? ["for billing"] : []];
}

function linesOf({ line1, line2, postalCode, city, state, country }: Address): string[] {
  const cityLine = [postalCode, city].filter((part) => part).join(" ");
  return [line1, line2, cityLine, state, country].filter((part): part is string => Boolean(part));
}
