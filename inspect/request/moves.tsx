/** Decisions that help in the present situation, next to the status line. */
import type { AvailableDecision, StaffDecision } from "../../actors/gdpr/requests/available_decisions.ts";
import { DECISION_TEXTS } from "./decisions.ts";
import type { RequestReading } from "./read.ts";
import { describeStatus } from "./status_text.ts";
import { suggestDecisions } from "./suggestions.ts";
import type { HrefTo } from "./time_travel.tsx";

export interface MovesProps {
  reading: RequestReading;
  csrf: string | undefined;
  hrefTo: HrefTo;
}

export function Moves({ reading, csrf, hrefTo }: MovesProps) {
  const { row: { version, isGuest, status: stored }, status, snapshot: { offers } } = reading;
  const { tone } = describeStatus(status);
  const decisions = suggestDecisions(status, offers, {
    isRisky: tone === "risk" || tone === "alarm",
    isHandover: isGuest && stored === "COMPLETED",
  });
  return (
    <>
      {decisions.map((decision) =>
        isDirect(decision, offers)
          ? <RetryNow decision={decision} version={version} csrf={csrf} hrefTo={hrefTo} />
          : <FormLink decision={decision} hrefTo={hrefTo} />
      )}
    </>
  );
}

/** A retry has no field to fill in, so one click performs it; every other decision opens its form. */
function isDirect({ type, service }: AvailableDecision, offers: readonly AvailableDecision[]): boolean {
  return type === "retry" && offers.some((offer) => offer.type === type && offer.service === service);
}

function RetryNow(
  { decision, version, csrf, hrefTo }: Omit<MovesProps, "reading"> & {
    decision: AvailableDecision;
    version: number;
  },
) {
  const { type, service } = decision;
  return (
    <form method="post" action={hrefTo()}>
      {csrf !== undefined && <input type="hidden" name="csrf" value={csrf} />}
      <input type="hidden" name="action" value={type} />
      <input type="hidden" name="version" value={String(version)} />
      {service !== undefined && <input type="hidden" name="service" value={service} />}
      <input type="hidden" name="confirmed" value="yes" />
      <button type="submit">{labelOf(decision)} now</button>
    </form>
  );
}

function FormLink({ decision, hrefTo }: { decision: AvailableDecision; hrefTo: HrefTo }) {
  const { type, service } = decision;
  const query = new URLSearchParams({ decide: type, ...(service !== undefined && { service }) });
  return <a class="button" href={hrefTo(`?${query}#action-${type}`)}>{labelOf(decision)}…</a>;
}

/** Labels in front of the name of a service. */
const ABOUT_SERVICE: Readonly<Partial<Record<StaffDecision, string>>> = {
  retry: "Retry",
  waive: "Continue without",
  confirm: "Confirm the waiver of",
  reject: "Reject the waiver of",
  withdraw: "Withdraw the waiver of",
};

function labelOf({ type, service }: AvailableDecision): string {
  return service === undefined ? DECISION_TEXTS[type].title : `${ABOUT_SERVICE[type]} ${service}`;
}
