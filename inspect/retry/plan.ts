/** Plan of a bulk retry: the retries that the machine of each stuck request accepts now. */
import { z } from "zod";
import { DomainError } from "../../domain/errors.ts";
import { availableDecisions } from "../../actors/gdpr/requests/available_decisions.ts";
import { uuid } from "../../domain/input.ts";
import type { Principal } from "../../domain/principal.ts";
import { findStuckRequests, type RequestFilter, type StuckRequest } from "../../db/gdpr_search.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { foreignForm } from "../forms.ts";

/** Maximum number of requests in one bulk retry. */
export const MAX_REQUESTS = 500;

/** Version of a request, and the services to retry; undefined: the step after the services. */
export interface Retry {
  requestId: string;
  version: number;
  services: (string | undefined)[];
}

export interface Plan {
  retries: (Retry & { request: StuckRequest })[];
  /** Stuck requests that cannot be retried, each with the reason. */
  notRetryable: { request: StuckRequest; reason: string }[];
  /** Whether there are more than MAX_REQUESTS. */
  more: boolean;
}

export async function planRetries(
  reader: StoreReader,
  by: Principal,
  filter: RequestFilter,
  now: Date,
): Promise<Plan> {
  const { storeId } = by;
  const stuckRequests = await reader.read(
    storeId,
    (sql) => findStuckRequests(sql, { storeId, filter, now }, MAX_REQUESTS + 1),
  );
  const plan: Plan = { retries: [], notRetryable: [], more: stuckRequests.length > MAX_REQUESTS };
  for (const request of stuckRequests.slice(0, MAX_REQUESTS)) {
    const { requestId, version } = request;
    try {
      const services = retriesOf(request, by, now);
      if (services.length > 0) plan.retries.push({ requestId, version, services, request });
      else plan.notRetryable.push({ request, reason: "its state does not accept a retry" });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      plan.notRetryable.push({
        request,
        reason: "this version of the service cannot read its machine or its state",
      });
    }
  }
  return plan;
}

/** Retries that the machine accepts and that concern a stuck step. */
function retriesOf(request: StuckRequest, by: Principal, now: Date): (string | undefined)[] {
  const { services, behind } = request;
  return availableDecisions(request, by, now)
    .filter(({ type, service }) =>
      type === "retry" && (service === undefined ? behind : services.includes(service))
    )
    .map(({ service }) => service);
}

/** Encodes retries for the form, so that sending the form twice repeats the same commands. */
export function formatRetries(retries: readonly Retry[]): string {
  return JSON.stringify(retries.map(({ requestId, version, services }) => [
    requestId,
    version,
    services.map((service) => service ?? null),
  ]));
}

const RetryList = z.array(
  z.tuple([uuid, z.int().positive(), z.array(z.string().max(100).nullable()).max(100)]),
)
  .max(MAX_REQUESTS);

/** @throws {DomainError} INVALID_INPUT: not the output of formatRetries */
export function parseRetries(field: unknown): Retry[] {
  try {
    return RetryList.parse(JSON.parse(String(field))).map(([requestId, version, services]) => ({
      requestId,
      version,
      services: services.map((service) => service ?? undefined),
    }));
  } catch (cause) {
    throw foreignForm(cause);
  }
}
