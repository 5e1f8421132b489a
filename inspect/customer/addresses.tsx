/** Address book of a customer, with forms that add, change and remove addresses. */
import type { Address } from "../../db/lookups.ts";
import {
  address as addressSchema,
  ADDRESS_LABELS,
  type AddressDefault,
  type AddressText,
  DEFAULT_LABELS,
} from "../../domain/address.ts";
import { ActionForm, formId, refusedBy, TextField } from "../fields.tsx";
import { CHANGE_TEXTS } from "./change_texts.ts";
import type { SectionProps } from "./profile.tsx";

const TEXTS = Object.entries(ADDRESS_LABELS) as [AddressText, string][];
const DEFAULTS = Object.entries(DEFAULT_LABELS) as [AddressDefault, string][];
const COUNTRIES = "countries";

export function Addresses(props: SectionProps) {
  const { reading: { values, commands } } = props;
  const addresses = values?.addresses ?? [];
  const hasForms = commands.has("address.add") || commands.has("address.update");
  return (
    <>
      {addresses.length === 0 && <p class="empty">The customer has no address.</p>}
      {addresses.length > 0 && (
        <ul class="cards">
          {addresses.map((address) => (
            <li class="card">
              <AddressLines address={address} />
              <div class="actions">
                <AddressForm {...props} action="address.update" address={address} />
                <RemoveForm {...props} address={address} />
              </div>
            </li>
          ))}
        </ul>
      )}
      <div class="actions">
        <AddressForm {...props} action="address.add" />
      </div>
      {hasForms && <Countries />}
    </>
  );
}

function AddressLines({ address }: { address: Address }) {
  const { line1, line2, postalCode, city, state, country } = address;
  const cityLine = [postalCode, city].filter((part) => part).join(" ");
  const lines = [line1, line2, cityLine, state, country].filter((part): part is string => Boolean(part));
  const defaults = DEFAULTS.filter(([name]) => address[name]);
  return (
    <>
      <p class="address">
        {lines.map((line, index) => (
          <>
            {index > 0 && ", "}
            <bdi>{line}</bdi>
          </>
        ))}
      </p>
      {defaults.length > 0 && (
        <p class="badges">
          {defaults.map(([, label]) => <span class="badge">{label}</span>)}
        </p>
      )}
    </>
  );
}

function AddressForm(
  { c, path, reading, attempt, action, address }: SectionProps & {
    action: "address.add" | "address.update";
    address?: Address;
  },
) {
  if (!reading.commands.has(action)) return null;
  const target = address?.addressId ?? "";
  const refused = refusedBy(attempt, action, target);
  const form = formId(action, target);
  return (
    <ActionForm
      c={c}
      path={path}
      action={action}
      target={target}
      version={reading.facts.version}
      title={CHANGE_TEXTS[action].title}
      button={CHANGE_TEXTS[action].button}
      refused={refused}
    >
      {TEXTS.map(([name, label]) => (
        <TextField
          form={form}
          name={name}
          label={label}
          schema={addressSchema.shape[name]}
          stored={address?.[name] ?? undefined}
          refused={refused}
          {...(name === "country" && { list: COUNTRIES })}
        />
      ))}
      {DEFAULTS.map(([name, label]) => (
        <label class="confirm">
          <input
            type="checkbox"
            name={name}
            value="yes"
            checked={refused ? refused.values[name] === "yes" : address?.[name] === true}
          />{" "}
          {label}
        </label>
      ))}
    </ActionForm>
  );
}

function RemoveForm({ c, path, reading, attempt, address }: SectionProps & { address: Address }) {
  const action = "address.delete";
  if (!reading.commands.has(action)) return null;
  const { title, confirm } = CHANGE_TEXTS[action];
  return (
    <ActionForm
      c={c}
      path={path}
      action={action}
      target={address.addressId}
      version={reading.facts.version}
      title={title}
      confirm={confirm}
      isFinal
      refused={refusedBy(attempt, action, address.addressId)}
    />
  );
}

const countryNames = new Intl.DisplayNames("en", { type: "region" });

/** Proposals for the country. */
function Countries() {
  return (
    <datalist id={COUNTRIES}>
      {addressSchema.shape.country.options.map((code) => <option value={code}>{countryNames.of(code)}
      </option>)}
    </datalist>
  );
}
