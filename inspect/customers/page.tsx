/** Page with the customers of a store, the form that searches them, and the links to further pages. */
import type { ShopperGroup } from "../../db/shopper_groups.ts";
import { formatCount } from "../durations.ts";
import { MAX_SEARCH, Page } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { type CustomersQuery, STATUS_LABELS, toCustomersSearch } from "./query.ts";
import { type CustomerList, fingerprintOf } from "./read.ts";
import { CustomerTable } from "./table.tsx";

export interface CustomersView {
  query: CustomersQuery;
  list: CustomerList;
  /** Text that was searched; undefined: none. */
  text?: string;
  /** Why the text was not searched. */
  problem?: string;
}

interface Props {
  c: InspectContext;
  view: CustomersView;
  groups: readonly ShopperGroup[];
}

export function CustomersPage({ c, view, groups }: Props) {
  const { query, list, text, problem } = view;
  const live = text === undefined
    ? {
      path: inStore(c, `/inspect/customers/live${toCustomersSearch(query)}`),
      fingerprint: fingerprintOf(list),
    }
    : undefined;
  return (
    <Page c={c} title="Customers" {...(live && { live })} list="#list">
      {problem !== undefined && <p class="problem" role="alert">{problem}</p>}
      <SearchForm c={c} view={view} groups={groups} />
      <div data-part="customers" id="list" tabindex={-1}>
        {list.customers.length === 0
          ? <p class="empty" role="status">{describeNothing(view)}</p>
          : <CustomerTable c={c} caption={captionOf(view)} customers={list.customers} />}
        <MorePages c={c} view={view} />
      </div>
    </Page>
  );
}

/** Sent by POST, because a name or an email must not be in an address. Without a text it leads to the list. */
function SearchForm({ c, view: { query, text }, groups }: Props) {
  const isFiltered = text !== undefined || query.status !== undefined || query.group !== undefined;
  return (
    <form class="filters find-customers" method="post" action={inStore(c, "/inspect/customers")}>
      {c.var.csrf !== undefined && <input type="hidden" name="csrf" value={c.var.csrf} />}
      <p class="field wide">
        <label for="customer-text">Name, email, phone or ID</label>
        <input
          type="search"
          id="customer-text"
          name="text"
          value={text}
          maxlength={MAX_SEARCH}
          autocomplete="off"
          spellcheck={false}
        />
      </p>
      <p class="field">
        <label for="customer-status">Account</label>
        <select id="customer-status" name="status">
          <option value="">All but erased</option>
          {Object.entries(STATUS_LABELS).map(([value, label]) => (
            <option value={value} selected={query.status === value}>{label}</option>
          ))}
        </select>
      </p>
      <p class="field">
        <label for="customer-group">Group</label>
        <select id="customer-group" name="group">
          <option value="">Any</option>
          {groups.map(({ groupId, name }) => (
            <option value={groupId} selected={query.group === groupId}>{name}</option>
          ))}
          {query.group !== undefined && groups.every(({ groupId }) => groupId !== query.group) && (
            <option value={query.group} selected>Another group</option>
          )}
        </select>
      </p>
      <p class="field submit">
        <button type="submit">Show</button>
        {isFiltered && <a href={inStore(c, "/inspect/customers")}>Show all</a>}
      </p>
    </form>
  );
}

function MorePages({ c, view: { query, list: { next, match }, text } }: Pick<Props, "c" | "view">) {
  const { after, ...filters } = query;
  const first = text === undefined && after !== undefined;
  if (!first && next === undefined) return null;
  return (
    <nav class="pages" aria-label="Pages">
      {first && <a href={inStore(c, `/inspect/customers${toCustomersSearch(filters)}`)}>First page</a>}
      {next !== undefined && text === undefined && (
        <a
          rel="next"
          href={inStore(c, `/inspect/customers${toCustomersSearch({ ...filters, after: next })}`)}
        >
          Next page
        </a>
      )}
      {next !== undefined && text !== undefined && (
        <NextPage c={c} query={{ ...filters, after: next }} text={text} match={match ?? ""} />
      )}
    </nav>
  );
}

/** The next page of a search by text, by POST. */
function NextPage(
  { c, query, text, match }: { c: InspectContext; query: CustomersQuery; text: string; match: string },
) {
  const fields = { ...query, text, match };
  return (
    <form method="post" action={inStore(c, "/inspect/customers")}>
      {c.var.csrf !== undefined && <input type="hidden" name="csrf" value={c.var.csrf} />}
      {Object.entries(fields).map(([name, value]) =>
        value !== undefined && <input type="hidden" name={name} value={value} />
      )}
      <button type="submit" class="quiet">Next page</button>
    </form>
  );
}

function captionOf({ query, list: { customers, next, match }, text }: CustomersView): string {
  const count = next === undefined
    ? formatCount(customers.length, "customer")
    : `The ${query.after === undefined ? "first" : "next"} ${customers.length} customers`;
  const order = query.group === undefined ? ", newest first" : "";
  if (text === undefined) return `${count}${order}`;
  return match === "similar name"
    ? `${count} with a similar name: the exact name finds no customer`
    : `${count} found by ${match}${order}`;
}

function describeNothing({ query, text }: CustomersView): string {
  if (query.after !== undefined) return "There are no further customers.";
  if (text !== undefined) {
    return "No customer was found. Enter a name, the beginning of an email, a phone number with its country code, or a whole ID.";
  }
  return query.status === undefined && query.group === undefined
    ? "This store has no customers yet."
    : "No customer matches these filters.";
}
