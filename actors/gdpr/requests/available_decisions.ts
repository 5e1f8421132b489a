/** Decisions that a request accepts now from a principal, by its machine and by authorization. */
import type { GdprRequestRow } from "../../../db/gdpr_requests.ts";
import { authorize, authorizeSubject } from "../../runtime/authorization.ts";
import { hasCode } from "../../../domain/errors.ts";
import type { Principal } from "../../../domain/principal.ts";
import { REQUEST_OPERATIONS, requestCommands } from "./commands.ts";
import type { RequestContext } from "../machines/events.ts";
import { restoreRequest } from "./snapshot.ts";

/** Commands that people send; services and timers send all others. */
export const DECISIONS = [
  "identity.verify",
  "identity.fail",
  "information.request",
  "information.receive",
  "confirm",
  "reject",
  "withdraw",
  "hand_over",
  "retry",
  "waive",
  "release",
  "hold",
  "extend",
  "cancel",
  "refuse",
] as const;
export type StaffDecision = (typeof DECISIONS)[number];

/** A command that the request accepts now, about one participant or about the whole request. */
export interface AvailableDecision {
  type: StaffDecision;
  service?: string;
}

const ABOUT_PROPOSALS = ["confirm", "reject", "withdraw"] as const;
const ABOUT_REQUEST: readonly StaffDecision[] = [
  "identity.verify",
  "identity.fail",
  "information.request",
  "information.receive",
  ...ABOUT_PROPOSALS,
  "hand_over",
  "retry",
  "release",
  "hold",
  "extend",
  "cancel",
  "refuse",
];
const ABOUT_PARTICIPANT: readonly StaffDecision[] = [...ABOUT_PROPOSALS, "retry", "waive"];

/**
 * Lists the available decisions in the order of DECISIONS, and of the participants within each.
 *
 * @param row a request in the store of `by`
 * @throws {DomainError} REFUSED_IN_STATE: the machine is unknown to this version, or the state to the machine
 */
export function availableDecisions(row: GdprRequestRow, by: Principal, now: Date): AvailableDecision[] {
  const snapshot = restoreRequest(row);
  if (snapshot.status !== "active") return [];
  const { participants } = snapshot.context as RequestContext;
  return DECISIONS.filter((type) => maySend(row, type, by)).flatMap((type) => {
    const candidates = [
      ...(ABOUT_REQUEST.includes(type) ? [{ type }] : []),
      ...(ABOUT_PARTICIPANT.includes(type) ? participants.map((service) => ({ type, service })) : []),
    ];
    return candidates.filter((decision) => snapshot.can({ ...decision, by: by.id, at: now.getTime() }));
  });
}

function maySend({ requestId, customerId }: GdprRequestRow, type: StaffDecision, by: Principal): boolean {
  const operation = `${REQUEST_OPERATIONS[type]} GDPR request ${requestId}`;
  try {
    authorize(by, operation, { by: requestCommands[type].by, role: "PRIVACY_OFFICER" }, by);
    authorizeSubject(operation, customerId, by);
    return true;
  } catch (error) {
    if (hasCode(error, "FORBIDDEN")) return false;
    throw error;
  }
}
