/** Who takes part in a request, and how far each has come. */
import type { Child } from "@hono/hono/jsx";
import type { ParticipantRow } from "../../db/gdpr_requests.ts";
import { Instant } from "../page.tsx";
import { isAlarming, sentence, stateWords } from "../words.ts";
import type { RequestReading } from "./read.ts";
import { timesWords } from "./situation.ts";

export function Participants(
  { reading: { row, participants, stored: { context }, standing } }: { reading: RequestReading },
) {
  return (
    <>
      <h2 id="participants">Participants</h2>
      {participants.length === 0 && <p class="empty">{nobodyYet(context.participants)}</p>}
      {participants.length > 0 && (
        <div class="scroll" role="region" aria-labelledby="participants" tabindex={0}>
          <table class="stacked">
            <caption>Every service that has to answer, and what it has said</caption>
            <thead>
              <tr>
                {["Service", "State", "Asked", "Next attempt", "Last error", "What it said", "Settled"].map((
                  name,
                ) => <th scope="col">{name}</th>)}
              </tr>
            </thead>
            <tbody>
              {participants.map((participant) => (
                <Row
                  participant={participant}
                  asked={standing.asked[participant.service] ?? 0}
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

/** @param open once the request has ended, nobody waits for who has not answered */
function Row({ participant, asked, open }: { participant: ParticipantRow; asked: number; open: boolean }) {
  const { service, state, nextAttemptAt, lastError, evidence, waiverReason, settledAt } = participant;
  const word = state.toLowerCase();
  const next = open ? nextAttemptAt : null;
  const said = evidence ?? (waiverReason === null ? undefined : `Waived: ${waiverReason}`);
  return (
    <tr id={`participant-${service}`}>
      <th scope="row">{service}</th>
      <Cell name="State">
        <span class={settledAt ? "badge good" : open && isAlarming(word) ? "badge alarm" : "badge"}>
          {settledAt || open ? sentence(stateWords(word)) : "Has not answered"}
        </span>
      </Cell>
      <Cell name="Asked">{timesWords(asked)}</Cell>
      <Cell name="Next attempt">{next && <Instant at={next} />}</Cell>
      <Cell name="Last error">{lastError && <code>{lastError}</code>}</Cell>
      <Cell name="What it said">{said}</Cell>
      <Cell name="Settled">{settledAt && <Instant at={settledAt} />}</Cell>
    </tr>
  );
}

/** A cell that says its column's name where the table is too narrow for columns. */
function Cell({ name, children }: { name: string; children?: Child }) {
  return <td data-name={name}>{children ?? <span class="none">–</span>}</td>;
}

function nobodyYet(expected: readonly string[]): string {
  if (expected.length === 0) return "Nobody else takes part.";
  return `Nobody has been asked yet. Once the work begins: ${expected.join(", ")}.`;
}
