/** What a bulk retry would do: for each stuck request the retries that its machine accepts now. */
import { z } from "zod";
import { DomainError } from "../../domain/errors.ts";
import { availableDecisions } from "../../actors/gdpr/requests/available_decisions.ts";
import { uuid } from "../../domain/input.ts";
import type { Principal } from "../../domain/principal.ts";
import { findStuckRequests, type RequestFilter, type StuckRequest } from "../../db/gdpr_search.ts";
import type { StoreReader } from "../../db/store_reader.ts";

/** Requests in one go. */
export const AT_ONCE = 500;

/** A request as it was seen, and what is to be tried again: a service, or what comes behind all of them. */
export interface Retry {
  requestId: string;
  version: number;
  services: (string | undefined)[];
}

export interface Plan {
  retries: (Retry & { request: StuckRequest })[];
  /** Stuck as well, but a retry does not help; with the reason in words. */
  helpless: { request: StuckRequest; reason: string }[];
  /** There are more than AT_ONCE. */
  more: boolean;
}

export async function planRetries(
  reader: StoreReader,
  by: Principal,
  filter: RequestFilter,
  now: Date,
): Promise<Plan> {
  const { storeId } = by;
  const found = await reader.read(
    storeId,
    (sql) => findStuckRequests(sql, { storeId, filter, now }, AT_ONCE + 1),
  );
  const plan: Plan = { retries: [], helpless: [], more: found.length > AT_ONCE };
  for (const request of found.slice(0, AT_ONCE)) {
    const { requestId, version } = request;
    try {
      const services = retriesOf(request, by, now);
      if (services.length > 0) plan.retries.push({ requestId, version, services, request });
      else plan.helpless.push({ request, reason: "its state takes no retry" });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      plan.helpless.push({
        request,
        reason: "this version of the service cannot read its machine or its state",
      });
    }
  }
  return plan;
}

/** Of what its machine accepts, what it is stuck with. */
function retriesOf(request: StuckRequest, by: Principal, now: Date): (string | undefined)[] {
  const { services, behind } = request;
  return availableDecisions(request, by, now)
    .filter(({ type, service }) =>
      type === "retry" && (service === undefined ? behind : services.includes(service))
    )
    .map(({ service }) => service);
}

/** As a form carries it: who sends the form twice asks for the same twice, however things stand by then. */
export function writeRetries(retries: readonly Retry[]): string {
  return JSON.stringify(retries.map(({ requestId, version, services }) => [
    requestId,
    version,
    services.map((service) => service ?? null),
  ]));
}

const Written = z.array(z.tuple([uuid, z.int().positive(), z.array(z.string().max(100).nullable()).max(100)]))
  .max(AT_ONCE);

/** @throws {DomainError} INVALID_INPUT: it is none that we have written */
export function readRetries(written: unknown): Retry[] {
  try {
    return Written.parse(JSON.parse(String(written))).map(([requestId, version, services]) => ({
      requestId,
      version,
      services: services.map((service) => service ?? undefined),
    }));
  } catch (cause) {
    throw new DomainError("INVALID_INPUT", "Cannot take the form: it is not of this page", { cause });
  }
}
