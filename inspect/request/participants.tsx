/** Participants of a request and their progress. */
import type { Child } from "@hono/hono/jsx";
import type { ParticipantRow } from "../../db/gdpr_requests.ts";
import { Instant } from "../page.tsx";
import { capitalize, failureLabel, isAlarming, stateLabel } from "../labels.ts";
import { NOT_CONFIGURED } from "../waits.ts";
import type { RequestReading } from "./read.ts";
import { formatTimes } from "./status_text.ts";

export function Participants(
  { reading: { row, participants, snapshot: { context }, status } }: { reading: RequestReading },
) {
  return (
    <>
      <h2 id="participants">Participants</h2>
      {participants.length === 0 && <p class="empty">{describeNone(context.participants)}</p>}
      {participants.length > 0 && (
        <div class="scroll" role="region" aria-labelledby="participants" tabindex={0}>
          <table class="stacked">
            <caption>Services that must answer, and their answers</caption>
            <thead>
              <tr>
                {["Service", "State", "Asked", "Next attempt", "Last error", "Answer", "Settled"].map((
                  name,
                ) => <th scope="col">{name}</th>)}
              </tr>
            </thead>
            <tbody>
              {participants.map((participant) => (
                <Row
                  participant={participant}
                  attempts={status.attempts[participant.service] ?? 0}
                  open={row.status !== "COMPLETED"}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

/**
 * The participants after a past event.
 *
 * @param states the state that each had reached by then, by the name of the service
 */
export function PastParticipants(
  { reading: { participants, moment }, states }: {
    reading: RequestReading;
    states: ReadonlyMap<string, string>;
  },
) {
  const settledBefore = new Map(
    participants
      .filter(({ service, state, settledAt }) =>
        settledAt && moment && settledAt <= moment.at && states.get(service) === state.toLowerCase()
      )
      .map((participant) => [participant.service, participant]),
  );
  return (
    <>
      <h2 id="participants">Participants</h2>
      {states.size === 0 && <p class="empty">No service had been asked yet.</p>}
      {states.size > 0 && (
        <table class="stacked">
          <caption>Services that had been asked, and their answers until then</caption>
          <thead>
            <tr>{["Service", "State", "Answer", "Settled"].map((name) => <th scope="col">{name}</th>)}</tr>
          </thead>
          <tbody>
            {[...states].toSorted().map(([service, state]) => {
              const settled = settledBefore.get(service);
              return (
                <tr>
                  <th scope="row">{service}</th>
                  <Cell name="State">
                    <span class={settled ? "badge good" : isAlarming(state) ? "badge alarm" : "badge"}>
                      {capitalize(stateLabel(state))}
                    </span>
                  </Cell>
                  <Cell name="Answer">{settled && (settled.evidence ?? waiverText(settled))}</Cell>
                  <Cell name="Settled">{settled?.settledAt && <Instant at={settled.settledAt} />}</Cell>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </>
  );
}

/** @param open whether the request is open; a completed one no longer waits for answers */
function Row(
  { participant, attempts, open }: { participant: ParticipantRow; attempts: number; open: boolean },
) {
  const { service, state, nextAttemptAt, lastError, evidence, signature, settledAt } = participant;
  const word = state.toLowerCase();
  const isUncallable = lastError === NOT_CONFIGURED && !settledAt;
  const next = open ? nextAttemptAt : null;
  const answer = [evidence ?? waiverText(participant), signature && "Signed by the service"].filter(Boolean);
  return (
    <tr id={`participant-${service}`}>
      <th scope="row">{service}</th>
      <Cell name="State">
        <span class={settledAt ? "badge good" : open && isAlarming(word) ? "badge alarm" : "badge"}>
          {isUncallable ? "Not asked" : settledAt || open ? capitalize(stateLabel(word)) : "Not answered"}
        </span>
      </Cell>
      <Cell name="Asked">{isUncallable ? "never" : formatTimes(attempts)}</Cell>
      <Cell name="Next attempt">{next && <Instant at={next} />}</Cell>
      <Cell name="Last error">{lastError && <FailureText code={lastError} />}</Cell>
      <Cell name="Answer">{answer.length > 0 && answer.join(". ")}</Cell>
      <Cell name="Settled">{settledAt && <Instant at={settledAt} />}</Cell>
    </tr>
  );
}

/** Code of a failed attempt, with its meaning. */
function FailureText({ code }: { code: string }) {
  const text = failureLabel(code);
  return (
    <>
      <code>{code}</code>
      {text && `: ${text}`}
    </>
  );
}

function waiverText({ state, waiverReason, waiverProposedBy, waiverConfirmedBy }: ParticipantRow) {
  if (waiverReason === null) return undefined;
  const by = waiverProposedBy === null ? "" : ` by ${waiverProposedBy}`;
  if (state !== "WAIVED") return `Waiver proposed${by}: ${waiverReason}`;
  const second = waiverConfirmedBy === null ? "" : `, confirmed by ${waiverConfirmedBy}`;
  return `Waived${by}${second}: ${waiverReason}`;
}

/** Table cell with the name of its column, which narrow screens show. */
function Cell({ name, children }: { name: string; children?: Child }) {
  return <td data-name={name}>{children || <span class="none">–</span>}</td>;
}

function describeNone(expected: readonly string[]): string {
  if (expected.length === 0) return "No other service takes part.";
  return `No service has been asked yet. When the work starts, it asks ${expected.join(", ")}.`;
}
