/**
 * The course of an erasure. Entering IN_PROGRESS is the point of no return: in that transaction the subject's data
 * are emptied here and the participants are told. It is fulfilled when each of them has confirmed or was waived,
 * and the re-scan has found nothing.
 */
import { newContext, type RequestContext } from "./events.ts";
import {
  audited,
  endings,
  fulfilled,
  opened,
  pauseFor,
  request,
  retried,
  stopClock,
  underway,
} from "./setup.ts";

/** A participant that has not confirmed for so long is shown as overdue, and asked on; in milliseconds. */
const OVERDUE_MS = 7 * 24 * 60 * 60_000;

/** @param participants the services that have to confirm, frozen when the request is made */
export function createErasureMachine(participants: readonly string[]) {
  return request.createMachine({
    id: "gdpr_erasure@1",
    context: ({ input }) => newContext(input),
    entry: opened,
    initial: "PENDING",
    states: {
      PENDING: {
        initial: "grace",
        on: { ...underway, ...endings },
        states: {
          /** The subject may still change their mind. */
          grace: {
            after: {
              UNTIL_START: [
                {
                  guard: ({ event }) => "accessOpen" in event && event.accessOpen,
                  target: "waiting_for_access",
                },
                { target: "#IN_PROGRESS" },
              ],
            },
            on: { hold: { target: "held", actions: [audited("GDPR_REQUEST_HELD")] } },
          },
          /** What the subject has asked to see must be told first. */
          waiting_for_access: {
            on: {
              "access.closed": { target: "grace", actions: [audited("GDPR_REQUEST_RESUMED")] },
              hold: { target: "held", actions: [audited("GDPR_REQUEST_HELD")] },
            },
          },
          /** A legal hold stands: nothing may be erased. */
          held: { on: { release: { target: "grace", actions: [audited("GDPR_REQUEST_RELEASED")] } } },
        },
      },
      IN_PROGRESS: {
        id: "IN_PROGRESS",
        entry: [{ type: "eraseSubject", params: { participants: [...participants] } }],
        initial: participants.length > 0 ? "awaiting_confirmations" : "verifying",
        on: underway,
        states: {
          awaiting_confirmations: {
            type: "parallel",
            states: Object.fromEntries(participants.map((service) => [service, confirmation(service)])),
            onDone: "verifying",
          },
          /** Nothing of the subject may be left here. */
          verifying: {
            entry: [{ type: "perform", params: { effect: "erasure.verify", params: {} } }],
            on: {
              verified: [
                {
                  guard: ({ event }) => event.residue === 0,
                  target: "#COMPLETED",
                  actions: [{ type: "setResidue", params: 0 }, ...fulfilled, { type: "concludeErasure" }],
                },
                {
                  target: "residue_found",
                  actions: [
                    { type: "setResidue", params: ({ event }) => event.residue },
                    audited("GDPR_RESIDUE_FOUND"),
                  ],
                },
              ],
              retry: { ...retried("verifying"), reenter: true },
            },
          },
          /** Somebody has to look: the re-scan has found what the erasure should have emptied. */
          residue_found: {
            on: { retry: retried("verifying") },
          },
        },
      },
      COMPLETED: { id: "COMPLETED", type: "final", entry: stopClock },
    },
  });
}

/** The region of one participant: asked again and again until it has confirmed or was waived. */
function confirmation(service: string) {
  const mine = ({ event }: { event: { type: string; service?: string } }) => event.service === service;
  const id = `ask ${service}`;
  const askLater = request.raise({ type: "ask", service } as never, {
    id,
    delay: pauseFor(service) as never,
  });
  const asked = (state: "ASKED" | "OVERDUE") =>
    ({
      type: "participant",
      params: ({ context }: { context: RequestContext }) => ({
        service,
        state,
        attempts: context.attempts[service] ?? 0,
        nextAttemptMs: pauseFor(service)({ context }),
      }),
    }) as const;
  const askAgain = (state: "ASKED" | "OVERDUE") => [
    { type: "countAttempt", params: { service } } as const,
    { type: "askAgain", params: { service } } as const,
    askLater,
    asked(state),
  ];
  const settled = (state: "CONFIRMED" | "WAIVED", action: string) => ({
    guard: mine,
    actions: [
      request.cancel(id),
      { type: "participant", params: { service, state } } as const,
      audited(action),
    ],
  });
  const on = (state: "ASKED" | "OVERDUE") => ({
    ask: { guard: mine, actions: askAgain(state) },
    retry: {
      guard: mine,
      actions: [
        request.cancel(id),
        { type: "forgetAttempts", params: { service } } as const,
        ...askAgain(state),
        audited("GDPR_PARTICIPANT_RETRIED"),
      ],
    },
    "participant.confirm": { target: "confirmed", ...settled("CONFIRMED", "GDPR_PARTICIPANT_CONFIRMED") },
    waive: { target: "waived", ...settled("WAIVED", "GDPR_PARTICIPANT_WAIVED") },
  });
  return request.createStateConfig({
    initial: "asked",
    states: {
      asked: {
        entry: [{ type: "countAttempt", params: { service } }, askLater, asked("ASKED")],
        after: { [OVERDUE_MS]: { target: "overdue", actions: [audited("GDPR_PARTICIPANT_OVERDUE")] } },
        on: on("ASKED"),
      },
      overdue: {
        entry: [{ type: "participant", params: { service, state: "OVERDUE" } }],
        on: on("OVERDUE"),
      },
      confirmed: { type: "final" },
      waived: { type: "final" },
    },
  });
}
