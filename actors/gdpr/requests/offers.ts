/** What somebody may tell a request as it stands: asked of its machine, so that nobody is offered what is refused. */
import type { GdprRequestRow } from "../../../db/gdpr_requests.ts";
import { authorize, authorizeSubject } from "../../runtime/authorization.ts";
import { hasCode } from "../../../domain/errors.ts";
import type { Principal } from "../../../domain/principal.ts";
import { REQUEST_PURPOSES, requestCommands } from "./commands.ts";
import type { RequestContext } from "../machines/events.ts";
import { restoreRequest } from "./snapshot.ts";

/** What people decide; everything else a request is told by services and by the clock. */
export const DECISIONS = ["retry", "waive", "release", "hold", "extend", "cancel", "refuse"] as const;
export type Decision = (typeof DECISIONS)[number];

/** A command that is accepted now, about one participant or about the whole request. */
export interface Offer {
  type: Decision;
  service?: string;
}

const ABOUT_WHOLE: readonly Decision[] = ["retry", "release", "hold", "extend", "cancel", "refuse"];
const ABOUT_PARTICIPANT: readonly Decision[] = ["retry", "waive"];

/**
 * In the order of DECISIONS, and of the participants within each.
 *
 * @param row of the store of `by`
 * @throws {DomainError} REFUSED_IN_STATE: this version does not know the machine, or the machine not the state
 */
export function offers(row: GdprRequestRow, by: Principal, now: Date): Offer[] {
  const snapshot = restoreRequest(row);
  if (snapshot.status !== "active") return [];
  const { participants } = snapshot.context as RequestContext;
  return DECISIONS.filter((type) => mayTell(row, type, by)).flatMap((type) => {
    const about = [
      ...(ABOUT_WHOLE.includes(type) ? [{ type }] : []),
      ...(ABOUT_PARTICIPANT.includes(type) ? participants.map((service) => ({ type, service })) : []),
    ];
    return about.filter((offer) => snapshot.can({ ...offer, at: now.getTime() }));
  });
}

function mayTell({ requestId, customerId }: GdprRequestRow, type: Decision, by: Principal): boolean {
  const purpose = `${REQUEST_PURPOSES[type]} GDPR request ${requestId}`;
  try {
    authorize(by, purpose, { by: requestCommands[type].by, role: "PRIVACY_OFFICER" }, by);
    authorizeSubject(purpose, customerId, by);
    return true;
  } catch (error) {
    if (hasCode(error, "FORBIDDEN")) return false;
    throw error;
  }
}
