/** Submits a form that changes a customer to the customer's actor. */
import type { Actors } from "../../actors/commands.ts";
import { findCustomerFacts } from "../../db/customer_facts.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { ADDRESS_LABELS, DEFAULT_LABELS } from "../../domain/address.ts";
import { PROFILE_FIELDS } from "../../domain/profile.ts";
import { traceparentOf } from "../../http/refusals.ts";
import { singleLine } from "../forms.ts";
import type { InspectContext } from "../session.ts";
import {
  type ChangeForm,
  describeRefusal,
  notConfirmed,
  readForm,
  type RefusedChange,
} from "../change_form.ts";
import { CHANGE_TEXTS, CUSTOMER_CHANGES, type CustomerChange } from "./change_texts.ts";

export interface Submitted {
  action: CustomerChange;
  /** Sequence of the newest event in the journal; 0: nothing has changed. */
  sequence: number;
}

/**
 * @returns what was done; if it is refused, the message and the values of the form
 * @throws {DomainError} INVALID_INPUT: not a form of this page; NOT_FOUND; FORBIDDEN
 */
export async function submitChange(
  c: InspectContext,
  { actors, reader }: { actors: Actors; reader: StoreReader },
  customerId: string,
): Promise<Submitted | RefusedChange> {
  const form = await readForm(c, CUSTOMER_CHANGES);
  const { action, version, isConfirmed } = form;
  if (CHANGE_TEXTS[action].confirm !== undefined && !isConfirmed) return notConfirmed(form);
  const { by } = c.var;
  const { storeId } = by;
  try {
    const { changed } = await actors.sendUnchecked(
      { kind: "customer", storeId, id: customerId },
      { ...fieldsOf(form), type: action },
      { by, traceparent: traceparentOf(c), expectedVersion: version },
    );
    if (!changed) return { action, sequence: 0 };
  } catch (error) {
    return describeRefusal(error, form, "customer");
  }
  const facts = await reader.read(storeId, (sql) => findCustomerFacts(sql, storeId, customerId));
  return { action, sequence: facts?.events ?? 0 };
}

/** Fields of the command, which the actor validates. */
function fieldsOf({ action, target, values }: ChangeForm<CustomerChange>): Record<string, unknown> {
  switch (action) {
    case "profile.update":
      return pick(values, PROFILE_FIELDS);
    case "address.add":
      return addressFrom(values);
    case "address.update":
      return { ...addressFrom(values), addressId: target };
    case "address.delete":
      return { addressId: target };
    case "group.assign":
      return pick(values, ["groupId"]);
    case "group.remove":
      return { groupId: target };
    default: {
      const texts = Object.entries(pick(values, ["reason", "note"])).map(([name, text]) =>
        [name, singleLine(text)] as const
      );
      return Object.fromEntries(texts);
    }
  }
}

function addressFrom(values: Readonly<Record<string, string>>): Record<string, unknown> {
  const texts = pick(values, Object.keys(ADDRESS_LABELS));
  const country = texts.country && { country: texts.country.trim().toUpperCase() };
  const defaults = Object.keys(DEFAULT_LABELS).map((name) => [name, values[name] === "yes"]);
  return { ...texts, ...country, ...Object.fromEntries(defaults) };
}

/** The values that the form has; an actor does not change what is absent. */
function pick(values: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => values[name] === undefined ? [] : [[name, values[name]]]),
  );
}
