/** A bulk retry in words. */
import type { DomainError, ErrorCode } from "../../domain/errors.ts";
import type { Wanted } from "../overview/query.ts";
import { outcomeWords, typeWords } from "../overview/words.ts";
import { stateWords } from "../words.ts";

/** "Asks order-service and payment-service again", "Tries its last step again". */
export function retryWords(services: readonly (string | undefined)[]): string {
  const named = services.filter((service) => service !== undefined);
  const asks = named.length === 0 ? [] : [`asks ${named.join(" and ")} again`];
  const behind = services.includes(undefined) ? ["tries again what comes behind the services"] : [];
  return [...asks, ...behind].join(", and ");
}

const REFUSALS: Partial<Record<ErrorCode, string>> = {
  CONFLICT: "it has changed since the list was made",
  REFUSED_IN_STATE: "its state does not take a retry any more",
  NOT_FOUND: "this store has no such request",
  FORBIDDEN: "your role does not allow it",
};

/** @param error undefined for one that nobody could expect */
export function refusalWords(error: DomainError | undefined): string {
  if (!error) return "something went wrong; it is logged on our side";
  return REFUSALS[error.code] ?? error.message;
}

/** "type erasure", "waiting for payment-service"; empty without filters. */
export function filterWords({ type, status, outcome, due, held, waiting, customer }: Wanted): string[] {
  return [
    ...(type ? [`type ${typeWords(type)}`] : []),
    ...(status ? [`status ${status === "OPEN" ? "open" : stateWords(status)}`] : []),
    ...(outcome ? [`outcome ${outcomeWords(outcome)}`] : []),
    ...(due ? [due === "overdue" ? "overdue" : "at risk"] : []),
    ...(held ? ["on hold"] : []),
    ...(waiting ? [`waiting for ${waiting}`] : []),
    ...(customer ? [`customer ${customer}`] : []),
  ];
}
