/** Filters of the overview as text. */
import { stateLabel } from "../labels.ts";
import { outcomeLabel, typeLabel } from "./labels.ts";
import type { FilterValues } from "./query.ts";

type Set = { [Name in keyof FilterValues]-?: NonNullable<FilterValues[Name]> };

const LABELS: { [Name in keyof Set]: (value: Set[Name]) => string } = {
  type: (type) => `type ${typeLabel(type)}`,
  status: (status) => `status ${status === "OPEN" ? "open" : stateLabel(status)}`,
  outcome: (outcome) => `outcome ${outcomeLabel(outcome)}`,
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

/** "type erasure", "waiting for payment-service"; empty without filters. */
export function describeFilters(filters: FilterValues): string[] {
  return (Object.keys(LABELS) as (keyof Set)[]).flatMap((name) => {
    const value = filters[name];
    return value === undefined ? [] : [(LABELS[name] as (value: string) => string)(value)];
  });
}
