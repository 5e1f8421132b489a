/** Decisions that help in the situation that the status line describes. */
import type { AvailableDecision, StaffDecision } from "../../actors/gdpr/requests/available_decisions.ts";
import { NOT_CONFIGURED } from "../waits.ts";
import { failingParticipants, openRegions, phaseOf, type RequestStatus } from "./status.ts";

/** Maximum number of suggested decisions. */
const MAX = 2;

/** Decisions that move a request on, by the state in which nothing else does. */
const SUGGESTED: Readonly<Record<string, readonly StaffDecision[]>> = {
  "PENDING.identifying": ["identity.verify", "information.request"],
  "PENDING.waiting_for_information": ["information.receive"],
  "PENDING.proposed": ["confirm", "reject", "withdraw"],
  "PENDING.held": ["release"],
  "IN_PROGRESS.residue_found": ["retry"],
};

export interface Situation {
  /** Whether the request is at risk or late. */
  isRisky: boolean;
  /** Whether the request has documents for a person without an account. */
  isHandover: boolean;
}

/** Suggests at most two of the offered decisions. One about several participants has no `service`: its form asks for it. */
export function suggestDecisions(
  status: RequestStatus,
  offers: readonly AvailableDecision[],
  { isRisky, isHandover }: Situation,
): AvailableDecision[] {
  const { state, abandonedEffects } = status;
  const phase = phaseOf(state);
  const suggested = Object.hasOwn(SUGGESTED, phase) ? SUGGESTED[phase]!.map((type) => ({ type })) : [];
  const wanted: AvailableDecision[] = [
    ...suggested,
    ...aboutParticipants(status),
    ...(abandonedEffects.length > 0 ? [{ type: "retry" } as const] : []),
    ...(isHandover ? [{ type: "hand_over" } as const] : []),
    ...(isRisky && phase.startsWith("IN_PROGRESS.") ? [{ type: "extend" } as const] : []),
  ];
  const possible = wanted.flatMap((decision) => {
    const same = offers.filter(({ type }) => type === decision.type);
    if (decision.service !== undefined) {
      return same.some(({ service }) => service === decision.service) ? [decision] : [];
    }
    return same.length === 0 ? [] : same.length === 1 ? [same[0]!] : [decision];
  });
  return possible.filter(({ type }, index) => possible.findIndex((other) => other.type === type) === index)
    .slice(0, MAX);
}

function aboutParticipants(status: RequestStatus): AvailableDecision[] {
  const { state, calls = {} } = status;
  const proposed = openRegions(state).filter(({ state }) => state === "waiver_proposed").map(({ service }) =>
    service
  );
  if (proposed.length > 0) return aboutAll(["confirm", "reject", "withdraw"], proposed);
  const failing = failingParticipants(status);
  if (failing.length === 0) return [];
  const isCallable = failing.some((service) => calls[service]?.failure !== NOT_CONFIGURED);
  return aboutAll(isCallable ? ["retry", "waive"] : ["waive"], failing);
}

function aboutAll(types: readonly StaffDecision[], services: readonly string[]): AvailableDecision[] {
  const [service] = services;
  return types.map((type) => services.length === 1 ? { type, service: service! } : { type });
}
