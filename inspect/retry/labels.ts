/** Texts of a bulk retry. */
import type { DomainError, ErrorCode } from "../../domain/errors.ts";

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
