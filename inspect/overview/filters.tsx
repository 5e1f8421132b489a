/** The form that puts filters into the address: it works without a script. */
import { RIGHTS } from "../../actors/gdpr/types.ts";
import { type InspectContext, inStore } from "../session.ts";
import { sentence, stateWords } from "../words.ts";
import { type Asked, OUTCOMES, searchOf, STATUSES, type Wanted } from "./query.ts";
import { outcomeWords, typeWords } from "./words.ts";

type Choice = readonly [value: string, words: string];

const TYPES: Choice[] = RIGHTS.map((type) => [type, sentence(typeWords(type))]);
const STATUS: Choice[] = [
  ["OPEN", "Open: pending or in progress"],
  ...STATUSES.map((status): Choice => [status, sentence(stateWords(status))]),
];
const OUTCOME: Choice[] = OUTCOMES.map((outcome) => [outcome, sentence(outcomeWords(outcome))]);
const DUE: Choice[] = [["overdue", "Overdue"], ["at_risk", "At risk: within 7 days"]];

/** @param services that open requests wait for */
export function Filters(
  { c, asked: { wanted, sort }, services }: { c: InspectContext; asked: Asked; services: readonly string[] },
) {
  const { by, home } = c.var;
  const known = new Set([...services, ...wanted.waiting === undefined ? [] : [wanted.waiting]]);
  return (
    <form class="filters" method="get" action="/inspect" aria-label="Filters">
      <Select name="type" label="Type" choices={TYPES} wanted={wanted} />
      <Select name="status" label="Status" choices={STATUS} wanted={wanted} />
      <Select name="outcome" label="Outcome" choices={OUTCOME} wanted={wanted} />
      <Select name="due" label="Due" choices={DUE} wanted={wanted} />
      <Select
        name="waiting"
        label="Waiting for"
        choices={[...known].map((name) => [name, name])}
        wanted={wanted}
      />
      <p class="field customer">
        <label for="customer">Customer id</label>
        <input id="customer" name="customer" value={wanted.customer} autocomplete="off" spellcheck={false} />
      </p>
      <p class="field checks">
        <Check name="held" label="On hold" wanted={wanted} />
        <Check name="stuck" label="Stuck" wanted={wanted} />
      </p>
      {sort !== "due" && <input type="hidden" name="sort" value={sort} />}
      {by.storeId !== home && <input type="hidden" name="store" value={by.storeId} />}
      <p class="field submit">
        <button type="submit">Show</button>
        {Object.keys(wanted).length > 0 && (
          <a href={inStore(c, `/inspect${searchOf({}, sort)}`)}>Without filters</a>
        )}
      </p>
    </form>
  );
}

function Select(
  { name, label, choices, wanted }: {
    name: keyof Wanted;
    label: string;
    choices: readonly Choice[];
    wanted: Wanted;
  },
) {
  return (
    <p class="field">
      <label for={name}>{label}</label>
      <select id={name} name={name}>
        <option value="">Any</option>
        {choices.map(([value, words]) => (
          <option value={value} selected={wanted[name] === value}>{words}</option>
        ))}
      </select>
    </p>
  );
}

function Check({ name, label, wanted }: { name: "held" | "stuck"; label: string; wanted: Wanted }) {
  return (
    <label>
      <input type="checkbox" name={name} value="yes" checked={wanted[name] === "yes"} /> {label}
    </label>
  );
}
