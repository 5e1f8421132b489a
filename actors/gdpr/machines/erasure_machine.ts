/**
 * State machine of an erasure. Entering IN_PROGRESS is the point of no return: that transaction erases the
 * customer's data in this service and publishes the erasure to the participants. The request is fulfilled when every
 * participant has confirmed or was waived, and a search finds no personal data.
 */
import { newContext, type RequestContext } from "./events.ts";
import {
  audited,
  clockTransitions,
  endTransitions,
  fulfillActions,
  openingActions,
  request,
  retryDelayOf,
  stepRetry,
  stopClock,
} from "./setup.ts";

/** Time without a confirmation after which a participant is overdue, and still retried; in milliseconds. */
const OVERDUE_MS = 7 * 24 * 60 * 60_000;

/** @param participants names of the services that have to confirm, fixed when the request is opened */
export function createErasureMachine(participants: readonly string[]) {
  return request.createMachine({
    id: "gdpr_erasure@1",
    context: ({ input }) => newContext(input),
    entry: openingActions,
    initial: "PENDING",
    states: {
      PENDING: {
        initial: "grace",
        on: { ...clockTransitions, ...endTransitions },
        states: {
          /** The customer may still cancel. */
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
          /** Open access and portability requests are completed first, as they need the data. */
          waiting_for_access: {
            on: {
              "access.closed": { target: "grace", actions: [audited("GDPR_REQUEST_RESUMED")] },
              hold: { target: "held", actions: [audited("GDPR_REQUEST_HELD")] },
            },
          },
          /** Legal hold: nothing may be erased. */
          held: { on: { release: { target: "grace", actions: [audited("GDPR_REQUEST_RELEASED")] } } },
        },
      },
      IN_PROGRESS: {
        id: "IN_PROGRESS",
        entry: [{ type: "eraseSubject", params: { participants: [...participants] } }],
        initial: participants.length > 0 ? "awaiting_confirmations" : "verifying",
        on: clockTransitions,
        states: {
          awaiting_confirmations: {
            type: "parallel",
            states: Object.fromEntries(participants.map((service) => [service, confirmation(service)])),
            onDone: "verifying",
          },
          /** Searches this service for personal data of the customer. */
          verifying: {
            entry: [{ type: "perform", params: { effect: "erasure.verify", params: {} } }],
            on: {
              verified: [
                {
                  guard: ({ event }) => event.residue === 0,
                  target: "#COMPLETED",
                  actions: [{ type: "setResidue", params: 0 }, ...fulfillActions, {
                    type: "concludeErasure",
                  }],
                },
                {
                  target: "residue_found",
                  actions: [
                    { type: "setResidue", params: ({ event }) => event.residue },
                    audited("GDPR_RESIDUE_FOUND"),
                  ],
                },
              ],
              retry: { ...stepRetry("verifying"), reenter: true },
            },
          },
          /** The search found personal data: staff must act. */
          residue_found: {
            on: { retry: stepRetry("verifying") },
          },
        },
      },
      COMPLETED: { id: "COMPLETED", type: "final", entry: stopClock },
    },
  });
}

/** Region of one participant: retried until it has confirmed or was waived. */
function confirmation(service: string) {
  const isAboutService = ({ event }: { event: { type: string; service?: string } }) =>
    event.service === service;
  const id = `ask ${service}`;
  const scheduleRetry = request.raise({ type: "ask", service } as never, {
    id,
    delay: retryDelayOf(service) as never,
  });
  const rowChange = (state: "ASKED" | "OVERDUE") =>
    ({
      type: "participant",
      params: ({ context }: { context: RequestContext }) => ({
        service,
        state,
        attempts: context.attempts[service] ?? 0,
        nextAttemptMs: retryDelayOf(service)({ context }),
      }),
    }) as const;
  const retryActions = (state: "ASKED" | "OVERDUE") => [
    { type: "countAttempt", params: { service } } as const,
    { type: "askAgain", params: { service } } as const,
    scheduleRetry,
    rowChange(state),
  ];
  const settling = (state: "CONFIRMED" | "WAIVED", action: string) => ({
    guard: isAboutService,
    actions: [
      request.cancel(id),
      { type: "participant", params: { service, state } } as const,
      audited(action),
    ],
  });
  const transitionsOf = (state: "ASKED" | "OVERDUE") => ({
    ask: { guard: isAboutService, actions: retryActions(state) },
    retry: {
      guard: isAboutService,
      actions: [
        request.cancel(id),
        { type: "forgetAttempts", params: { service } } as const,
        ...retryActions(state),
        audited("GDPR_PARTICIPANT_RETRIED"),
      ],
    },
    "participant.confirm": { target: "confirmed", ...settling("CONFIRMED", "GDPR_PARTICIPANT_CONFIRMED") },
    waive: { target: "waived", ...settling("WAIVED", "GDPR_PARTICIPANT_WAIVED") },
  });
  return request.createStateConfig({
    initial: "asked",
    states: {
      asked: {
        entry: [{ type: "countAttempt", params: { service } }, scheduleRetry, rowChange("ASKED")],
        after: { [OVERDUE_MS]: { target: "overdue", actions: [audited("GDPR_PARTICIPANT_OVERDUE")] } },
        on: transitionsOf("ASKED"),
      },
      overdue: {
        entry: [{ type: "participant", params: { service, state: "OVERDUE" } }],
        on: transitionsOf("OVERDUE"),
      },
      confirmed: { type: "final" },
      waived: { type: "final" },
    },
  });
}
