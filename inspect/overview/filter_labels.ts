/** Filters of the overview as text. */
import { stateLabel } from "../labels.ts";
import { outcomeLabel, typeLabel } from "./labels.ts";
import type { FilterValues } from "./query.ts";

type Set = { [Name in keyof FilterValues]-?: NonNullable<FilterValues[Name]> };

const LABELS: { [Name in keyof Set]: (value: Set[Name]) => string } = {
  type: (types) => `type ${anyOf(types.map(typeLabel))}`,
  status: (statuses) => `status ${anyOf(statuses.map(stateLabel))}`,
  outcome: (outcomes) => `outcome ${anyOf(outcomes.map(outcomeLabel))}`,
  due: (due) => due === "overdue" ? "overdue" : "at risk",
  held: () => "on hold",
  proposed: () => "to confirm",
  download: () => "waiting for a download",
  undelivered: () => "customer not informed",
  identity: () => "to identify",
  stuck: () => "stuck",
  waiting: (service) => `waiting for ${service}`,
  customer: (id) => `customer ${id}`,
  receivedFrom: (day) => `received from ${day}`,
  receivedTo: (day) => `received until ${day}`,
  dueFrom: (day) => `due from ${day}`,
  dueTo: (day) => `due until ${day}`,
};

/** "access, erasure or portability" */
function anyOf(labels: readonly string[]): string {
  return labels.length < 2 ? labels.join("") : `${labels.slice(0, -1).join(", ")} or ${labels.at(-1)}`;
}

/** "type erasure", "waiting for payment-service"; empty without filters. */
export function describeFilters(filters: FilterValues): string[] {
  return (Object.keys(LABELS) as (keyof Set)[]).flatMap((name) => {
    const value = filters[name];
    return value === undefined ? [] : [(LABELS[name] as (value: unknown) => string)(value)];
  });
}
