/** Pending work of a request: effects, timers, and effects that failed permanently. */
import type { OpenEffect, WaitingTimer } from "../../db/actor_work.ts";
import { Instant } from "../page.tsx";
import { formatCount, formatDuration } from "../durations.ts";
import { capitalize } from "../labels.ts";
import type { RequestReading } from "./read.ts";
import { abandonedEffects, effectLabel, timerLabel } from "./work_labels.ts";

export function PendingWork(
  { reading: { row, effects, timers, snapshot: { offers }, status: { now, state } } }: {
    reading: RequestReading;
  },
) {
  const stuck = abandonedEffects(effects, state);
  const isEmpty = effects.length + timers.length === 0;
  return (
    <>
      <h2 id="next">What happens next</h2>
      {isEmpty && (
        <p class="empty">
          No work is pending{row.status === "COMPLETED" ? "." : ": the request waits for a decision."}
          {offers.length > 0 && (
            <>
              {" "}
              See the <a href="#actions">available decisions</a>.
            </>
          )}
        </p>
      )}
      {!isEmpty && (
        <ul class="next">
          {effects.map((effect) => <Effect effect={effect} now={now} stuck={stuck.includes(effect)} />)}
          {timers.map((timer) => <Timer timer={timer} now={now} />)}
        </ul>
      )}
    </>
  );
}

/** @param stuck whether the request waits for a manual retry of this effect */
function Effect({ effect, now, stuck }: { effect: OpenEffect; now: Date; stuck: boolean }) {
  const { state, attempts, dueAt, lastError } = effect;
  const what = capitalize(effectLabel(effect));
  const failed = lastError !== null && (
    <>
      ;{" "}
      {state === "POISONED"
        ? "the last error"
        : `${formatCount(attempts, "attempt")} so far, the last error`}: <code>{lastError}</code>
    </>
  );
  if (state === "POISONED") {
    return (
      <li>
        <span class={stuck ? "badge alarm" : "badge"}>{stuck ? "Failed permanently" : "Failed earlier"}</span>
        {" "}
        {`${what} has failed ${attempts} times in a row${stuck ? " and needs a manual retry" : ""}`}
        {failed}
      </li>
    );
  }
  return (
    <li>
      <When at={dueAt} now={now} /> {what}
      {failed}
    </li>
  );
}

function Timer({ timer, now }: { timer: WaitingTimer; now: Date }) {
  return (
    <li>
      <When at={timer.dueAt} now={now} /> {timerLabel(timer)}
      {timer.lastError !== null && (
        <>
          ; the last attempt failed: <code>{timer.lastError}</code>
        </>
      )}
    </li>
  );
}

function When({ at, now }: { at: Date; now: Date }) {
  const remainingMs = at.getTime() - now.getTime();
  return (
    <span class="when">
      <Instant at={at} />{" "}
      <span class="in">{remainingMs > 0 ? `in ${formatDuration(remainingMs)}` : "now"}</span>
    </span>
  );
}
