/** Legal holds on a customer, with forms that place and lift them and work without a script. */
import type { NotedHold } from "../../db/customer_holds.ts";
import type { StaffCustomerCommand } from "../../actors/customers/available_commands.ts";
import { HOLD_GROUNDS, LONGEST_HOLD_YEARS } from "../../domain/holds.ts";
import { Instant } from "../page.tsx";
import { FreeText } from "../request/actions.tsx";
import { HOLD_LABELS } from "../request/ground.tsx";
import { type InspectContext, inStore } from "../session.ts";

/** Result of a submitted form. The page fills in a refused one again. */
export interface HoldAttempt {
  done: boolean;
  message: string;
  input?: { ground: string; until: string; note: string };
}

export interface HoldsProps {
  c: InspectContext;
  customerId: string;
  version: number;
  commands: ReadonlySet<StaffCustomerCommand>;
  /** In effect, newest first. */
  holds: readonly NotedHold[];
  attempt: HoldAttempt | undefined;
}

export function Holds({ c, customerId, version, commands, holds, attempt }: HoldsProps) {
  const action = inStore(c, `/inspect/customers/${customerId}/holds`);
  return (
    <>
      {holds.length === 0
        ? <p class="empty">No legal hold is in effect.</p>
        : <p>While a hold is in effect, no erasure of the customer starts.</p>}
      <div class="actions">
        {holds.map((hold) => (
          <details class="action" id={`hold-${hold.holdId}`}>
            <summary>
              {HOLD_LABELS[hold.ground]}
              {hold.until && (
                <>
                  , until <Instant at={hold.until} />
                </>
              )}
            </summary>
            <form method="post" action={action}>
              <Hidden c={c} version={version} action="lift" />
              <input type="hidden" name="holdId" value={hold.holdId} />
              <p>
                Placed on <Instant at={hold.placedAt} /> by {hold.placedByService ??
                  (hold.placedBy === c.var.by.id ? "you" : <code>{hold.placedBy}</code>)}.
                {hold.note !== null && (
                  <>
                    {" "}Note: <q>{hold.note}</q>
                  </>
                )}
              </p>
              <FreeText
                id={`note-${hold.holdId}`}
                name="note"
                label="Note for staff"
                hint="Shown in the timeline, and not to the customer"
              />
              <label class="confirm">
                <input type="checkbox" name="confirmed" value="yes" required />{" "}
                Yes, lift it: an erasure continues after the last hold
              </label>
              <button type="submit">Lift the hold</button>
            </form>
          </details>
        ))}
        {commands.has("hold.place") && (
          <details class="action" id="place-hold" open={attempt?.input !== undefined}>
            <summary>Place a legal hold</summary>
            <form method="post" action={action} data-keep={attempt?.input && "input"}>
              <Hidden c={c} version={version} action="place" />
              <p>
                No erasure of the customer starts while the hold is in effect. An open erasure waits, and
                continues by itself after the last hold has ended.
              </p>
              <label for="hold-ground">Ground</label>
              <select id="hold-ground" name="ground" required>
                <option value="">Choose a ground</option>
                {HOLD_GROUNDS.map((ground) => (
                  <option value={ground} selected={ground === attempt?.input?.ground}>
                    {HOLD_LABELS[ground]}
                  </option>
                ))}
              </select>
              <label for="hold-until">Ends on (optional)</label>
              <p id="hold-until-hint" class="hint">
                The start of this day in UTC, at most {LONGEST_HOLD_YEARS}{" "}
                years ahead. Without a date, the hold stays until it is lifted.
              </p>
              <input
                id="hold-until"
                type="date"
                name="until"
                value={attempt?.input?.until}
                aria-describedby="hold-until-hint"
              />
              <FreeText
                id="hold-note"
                name="note"
                label="Note for staff"
                hint="Shown with the hold, and not to the customer"
                value={attempt?.input?.note}
              />
              <label class="confirm">
                <input type="checkbox" name="confirmed" value="yes" required /> Yes, place it
              </label>
              <button type="submit">Place the hold</button>
            </form>
          </details>
        )}
      </div>
    </>
  );
}

function Hidden({ c, version, action }: { c: InspectContext; version: number; action: "place" | "lift" }) {
  const { csrf } = c.var;
  return (
    <>
      {csrf !== undefined && <input type="hidden" name="csrf" value={csrf} />}
      <input type="hidden" name="action" value={action} />
      <input type="hidden" name="version" value={String(version)} />
    </>
  );
}
