/** Texts of a bulk retry. */
import type { DomainError, ErrorCode } from "../../domain/errors.ts";
import type { FilterValues } from "../overview/query.ts";
import { outcomeLabel, typeLabel } from "../overview/labels.ts";
import { stateLabel } from "../labels.ts";

/** Text of a retry: "ask order-service and payment-service again". */
export function describeRetry(services: readonly (string | undefined)[]): string {
  const serviceNames = services.filter((service) => service !== undefined);
  const calls = serviceNames.length === 0 ? [] : [`ask ${serviceNames.join(" and ")} again`];
  const step = services.includes(undefined) ? ["retry the step after the services"] : [];
  return [...calls, ...step].join(", and ");
}

const REFUSALS: Partial<Record<ErrorCode, string>> = {
  CONFLICT: "the request was changed after the list was loaded",
  REFUSED_IN_STATE: "its state no longer accepts a retry",
  NOT_FOUND: "the request does not exist in this store",
  FORBIDDEN: "your role does not permit it",
};

/** @param error undefined: an unexpected error */
export function describeRefusal(error: DomainError | undefined): string {
  if (!error) return "internal error, which was logged";
  return REFUSALS[error.code] ?? error.message;
}

/** Filters as text: "type erasure", "waiting for payment-service"; empty without filters. */
export function describeFilters(
  { type, status, outcome, due, held, waiting, customer }: FilterValues,
): string[] {
  return [
    ...(type ? [`type ${typeLabel(type)}`] : []),
    ...(status ? [`status ${status === "OPEN" ? "open" : stateLabel(status)}`] : []),
    ...(outcome ? [`outcome ${outcomeLabel(outcome)}`] : []),
    ...(due ? [due === "overdue" ? "overdue" : "at risk"] : []),
    ...(held ? ["on hold"] : []),
    ...(waiting ? [`waiting for ${waiting}`] : []),
    ...(customer ? [`customer ${customer}`] : []),
  ];
}
