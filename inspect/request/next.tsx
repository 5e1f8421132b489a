/** What happens next by itself, and when; and what the service has given up. */
import type { OpenEffect, WaitingTimer } from "../../db/actor_work.ts";
import { Instant } from "../page.tsx";
import { counted, spanWords } from "../spans.ts";
import { sentence } from "../words.ts";
import type { RequestReading } from "./read.ts";
import { effectWords, givenUp, timerWords } from "./work_words.ts";

export function Next(
  { reading: { row, effects, timers, stored: { offers }, standing: { now, state } } }: {
    reading: RequestReading;
  },
) {
  const stuck = givenUp(effects, state);
  const nothing = effects.length + timers.length === 0;
  return (
    <>
      <h2 id="next">What happens next</h2>
      {nothing && (
        <p class="empty">
          Nothing happens by itself any more{row.status === "COMPLETED" ? "." : ": somebody has to act."}
          {offers.length > 0 && (
            <>
              {" "}
              <a href="#actions">What can be done</a> stands above.
            </>
          )}
        </p>
      )}
      {!nothing && (
        <ul class="next">
          {effects.map((effect) => <Effect effect={effect} now={now} stuck={stuck.includes(effect)} />)}
          {timers.map((timer) => <Timer timer={timer} now={now} />)}
        </ul>
      )}
    </>
  );
}

/** @param stuck nothing goes on before somebody has looked */
function Effect({ effect, now, stuck }: { effect: OpenEffect; now: Date; stuck: boolean }) {
  const { state, attempts, dueAt, lastError } = effect;
  const what = sentence(effectWords(effect));
  const failed = lastError !== null && (
    <>
      ; {state === "POISONED" ? "the last error" : `${counted(attempts, "attempt")} so far, the last error`}:
      {" "}
      <code>{lastError}</code>
    </>
  );
  if (state === "POISONED") {
    return (
      <li>
        <span class={stuck ? "badge alarm" : "badge"}>{stuck ? "Given up" : "Given up earlier"}</span>{" "}
        {`${what} has failed ${attempts} times in a row${stuck ? " and waits for somebody to look" : ""}`}
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
      <When at={timer.dueAt} now={now} /> {timerWords(timer)}
      {timer.lastError !== null && (
        <>
          ; it could not be done yet: <code>{timer.lastError}</code>
        </>
      )}
    </li>
  );
}

function When({ at, now }: { at: Date; now: Date }) {
  const left = at.getTime() - now.getTime();
  return (
    <span class="when">
      <Instant at={at} /> <span class="in">{left > 0 ? `in ${spanWords(left)}` : "at any moment"}</span>
    </span>
  );
}
