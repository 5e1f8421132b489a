/** What can be done with a request: a form for each decision that its machine accepts now. */
import {
  type AvailableDecision,
  type Decision,
  DECISIONS,
} from "../../actors/gdpr/requests/available_decisions.ts";
import type { InspectContext } from "../session.ts";
import { DECISION_WORDS } from "./decisions.ts";
import type { RequestReading } from "./read.ts";
import type { To } from "./travel.tsx";

/** A decision that somebody has taken: done, or not done and why. */
export interface Attempt {
  done: boolean;
  message: string;
  /** What was filled in, so that nothing of it is lost; absent where it is done. */
  written?: { action: string; service: string; reason: string };
}

export interface ActionsProps {
  c: InspectContext;
  to: To;
  reading: RequestReading;
  attempt: Attempt | undefined;
}

export function Actions({ c, to, reading, attempt }: ActionsProps) {
  const { row, stored: { offers, unreadable } } = reading;
  const written = attempt?.written;
  const lost = written && !offers.some(({ type }) => type === written.action);
  return (
    <>
      <h2 id="actions">What can be done</h2>
      {offers.length === 0 && <p class="empty">{whyNothing(row.status, unreadable)}</p>}
      {lost && written.reason !== "" && (
        <p class="problem">
          What you wrote: <q>{written.reason}</q>
        </p>
      )}
      <div class="actions">
        {DECISIONS.flatMap((type) => {
          const mine = offers.filter((offer) => offer.type === type);
          return mine.length === 0 ? [] : (
            <Action
              type={type}
              offers={mine}
              csrf={c.var.csrf}
              to={to}
              version={row.version}
              written={written?.action === type ? written : undefined}
            />
          );
        })}
      </div>
    </>
  );
}

interface ActionProps {
  type: Decision;
  offers: readonly AvailableDecision[];
  csrf: string | undefined;
  to: To;
  version: number;
  written: Attempt["written"] | undefined;
}

function Action({ type, offers, csrf, to, version, written }: ActionProps) {
  const { title, consequence, reason, mayBeSilent, confirm, final } = DECISION_WORDS[type];
  return (
    <details id={`action-${type}`} class={final ? "action final" : "action"} open={written !== undefined}>
      <summary>{title}</summary>
      <form method="post" action={to()} data-keep={written && "written"}>
        {csrf !== undefined && <input type="hidden" name="csrf" value={csrf} />}
        <input type="hidden" name="action" value={type} />
        <input type="hidden" name="version" value={String(version)} />
        <p>{consequence}</p>
        <Service type={type} offers={offers} chosen={written?.service} />
        <label for={`reason-${type}`}>{mayBeSilent ? "Reason (optional)" : "Reason"}</label>
        <p id={`reason-${type}-hint`} class="hint">
          {reason}. Leave out what is personal.
        </p>
        <textarea
          id={`reason-${type}`}
          name="reason"
          rows={3}
          maxlength={500}
          required={!mayBeSilent}
          aria-describedby={`reason-${type}-hint`}
        >
          {written?.reason}
        </textarea>
        <label class="confirm">
          <input type="checkbox" name="confirmed" value="yes" required /> {confirm}
        </label>
        <button type="submit">{title}</button>
      </form>
    </details>
  );
}

/** Which participant the decision is about, where it is about one. */
function Service(
  { type, offers, chosen }: {
    type: Decision;
    offers: readonly AvailableDecision[];
    chosen: string | undefined;
  },
) {
  if (offers.every(({ service }) => service === undefined)) return null;
  return (
    <>
      <label for={`service-${type}`}>Service</label>
      <select id={`service-${type}`} name="service" required>
        {offers.length > 1 && <option value="">Choose a service</option>}
        {offers.map(({ service = "" }) => (
          <option value={service} selected={service === chosen}>{service}</option>
        ))}
      </select>
    </>
  );
}

function whyNothing(status: string, unreadable: string | undefined): string {
  if (unreadable !== undefined) return `Nothing can be done here: ${unreadable}.`;
  if (status === "COMPLETED") return "Nothing any more: the request has come to its end.";
  return "Nothing at the moment.";
}
