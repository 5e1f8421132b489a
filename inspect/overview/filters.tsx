/** Filter form of the overview. It submits the filters as query parameters, so it needs no script. */
import { RIGHTS } from "../../actors/gdpr/types.ts";
import { type InspectContext, inStore } from "../session.ts";
import { capitalize, stateLabel } from "../labels.ts";
import { type ChoiceName, type FilterValues, type OverviewQuery, STATUSES, toSearch } from "./query.ts";
import { OUTCOMES } from "../../actors/gdpr/machines/events.ts";
import { outcomeLabel, typeLabel } from "./labels.ts";

type Choice = readonly [value: string, words: string];

const TYPES: Choice[] = RIGHTS.map((type) => [type, capitalize(typeLabel(type))]);
const STATUS: Choice[] = STATUSES.map((status) => [status, capitalize(stateLabel(status))]);
const OUTCOME: Choice[] = OUTCOMES.map((outcome) => [outcome, capitalize(outcomeLabel(outcome))]);
const DUE: Choice[] = [["overdue", "Overdue"], ["at_risk", "At risk: within 7 days"]];

/** @param services services that open requests wait for */
export function Filters(
  { c, query: { filters, sort }, services }: {
    c: InspectContext;
    query: OverviewQuery;
    services: readonly string[];
  },
) {
  const { by, home } = c.var;
  const count = Object.keys(filters).length;
  const known = new Set([...services, ...filters.waiting === undefined ? [] : [filters.waiting]]);
  return (
    <details id="filters" class="filters-panel">
      <summary>{count === 0 ? "Filters" : `Filters (${count})`}</summary>
      <form class="filters" method="get" action="/inspect" aria-label="Filters">
        <Several name="type" label="Type" choices={TYPES} filters={filters} />
        <Several name="status" label="Status" choices={STATUS} filters={filters} />
        <Several name="outcome" label="Outcome" choices={OUTCOME} filters={filters} />
        <Select name="due" label="Due" choices={DUE} filters={filters} />
        <Select
          name="waiting"
          label="Waiting for"
          choices={[...known].map((name) => [name, name])}
          filters={filters}
        />
        <Day name="receivedFrom" label="Received from" filters={filters} />
        <Day name="receivedTo" label="Received until" filters={filters} />
        <Day name="dueFrom" label="Due from" filters={filters} />
        <Day name="dueTo" label="Due until" filters={filters} />
        <p class="field customer">
          <label for="customer">Customer ID</label>
          <input
            id="customer"
            name="customer"
            value={filters.customer}
            autocomplete="off"
            spellcheck={false}
          />
        </p>
        <p class="field checks">
          <Check name="held" label="On hold" filters={filters} />
          <Check name="proposed" label="To confirm" filters={filters} />
          <Check name="identity" value="unverified" label="To identify" filters={filters} />
          <Check name="download" label="Waiting for download" filters={filters} />
          <Check name="undelivered" label="Customer not informed" filters={filters} />
          <Check name="stuck" label="Stuck" filters={filters} />
        </p>
        {sort !== "due" && <input type="hidden" name="sort" value={sort} />}
        {by.storeId !== home && <input type="hidden" name="store" value={by.storeId} />}
        <p class="field submit">
          <button type="submit">Show</button>
          {count > 0 && <a href={inStore(c, `/inspect${toSearch({}, sort)}`)}>Clear filters</a>}
        </p>
        <p class="hint">
          Days are in UTC. The address of the list contains the filters: bookmark it to save a view.
        </p>
      </form>
    </details>
  );
}

/** Boxes of which several can be checked; without a check all values match. */
function Several(
  { name, label, choices, filters }: {
    name: ChoiceName;
    label: string;
    choices: readonly Choice[];
    filters: FilterValues;
  },
) {
  const chosen: readonly string[] = filters[name] ?? [];
  return (
    <fieldset class="checks">
      <legend>{label}</legend>
      {choices.map(([value, words]) => (
        <label>
          <input type="checkbox" name={name} value={value} checked={chosen.includes(value)} /> {words}
        </label>
      ))}
    </fieldset>
  );
}

function Select(
  { name, label, choices, filters }: {
    name: Exclude<keyof FilterValues, ChoiceName>;
    label: string;
    choices: readonly Choice[];
    filters: FilterValues;
  },
) {
  return (
    <p class="field">
      <label for={name}>{label}</label>
      <select id={name} name={name}>
        <option value="">Any</option>
        {choices.map(([value, words]) => (
          <option value={value} selected={filters[name] === value}>{words}</option>
        ))}
      </select>
    </p>
  );
}

function Day(
  { name, label, filters }: {
    name: "receivedFrom" | "receivedTo" | "dueFrom" | "dueTo";
    label: string;
    filters: FilterValues;
  },
) {
  return (
    <p class="field">
      <label for={name}>{label}</label>
      <input type="date" id={name} name={name} value={filters[name]} />
    </p>
  );
}

function Check(
  { name, value = "yes", label, filters }: {
    name: "held" | "proposed" | "download" | "undelivered" | "identity" | "stuck";
    value?: string;
    label: string;
    filters: FilterValues;
  },
) {
  return (
    <label>
      <input type="checkbox" name={name} value={value} checked={filters[name] === value} /> {label}
    </label>
  );
}
