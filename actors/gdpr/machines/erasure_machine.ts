/**
 * State machine of an erasure. Entering IN_PROGRESS is the point of no return: that transaction erases the
 * customer's data in this service and publishes the erasure to the participants. The request is fulfilled when every
 * participant has confirmed or was waived, and a search finds no personal data. With four eyes, a second person
 * confirms a waiver, and an erasure that the customer has not requested.
 */
import { fetchWaitEnd, newContext, type RequestContext, THE_ERASURE } from "./events.ts";
import {
  type AboutProposal,
  audited,
  clockTransitions,
  endTransitions,
  extendActions,
  fulfillActions,
  identifyActions,
  identifying,
  openingActions,
  request,
  retryDelayOf,
  stepRetry,
  stopClock,
  waitingForInformation,
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
        initial: "opened",
        on: { ...clockTransitions, ...endTransitions },
        states: {
          opened: {
            always: [
              { guard: "isUnidentified", target: "identifying" },
              { guard: "isProposed", target: "proposed" },
              { target: "grace" },
            ],
          },
          /** The request comes from outside a signed-in account: staff check the identity of the person. */
          identifying: {
            ...identifying,
            on: {
              ...identifying.on,
              "identity.verify": [
                { guard: "isProposed", target: "proposed", actions: identifyActions },
                { target: "grace", actions: identifyActions },
              ],
            },
          },
          waiting_for_information: waitingForInformation,
          /** The customer has not requested the erasure: a second person confirms or rejects it. */
          proposed: {
            on: {
              confirm: {
                guard: { type: "isSecondPerson", params: {} },
                target: "grace",
                actions: [...acceptActions, audited("GDPR_ERASURE_CONFIRMED")],
              },
              "subject.request": {
                target: "grace",
                actions: [...acceptActions, audited("GDPR_ERASURE_CONFIRMED")],
              },
              reject: {
                guard: { type: "isSecondPerson", params: {} },
                target: "#COMPLETED",
                actions: [{ type: "setOutcome", params: "REFUSED" }, audited("GDPR_REQUEST_REFUSED")],
              },
              withdraw: {
                guard: { type: "isProposer", params: {} },
                target: "#COMPLETED",
                actions: [{ type: "setOutcome", params: "CANCELLED" }, audited("GDPR_REQUEST_CANCELLED")],
              },
              refuse: {}, // a second person rejects it instead
            },
          },
          /** The customer may still cancel. */
          grace: {
            after: {
              UNTIL_START: [
                {
                  guard: ({ event }) => "accessOpen" in event && event.accessOpen,
                  target: "waiting_for_access",
                },
                {
                  guard: ({ context, event }) =>
                    "fetchUntil" in event && event.fetchUntil !== null && context.cause === "REQUEST" &&
                    !context.proceeds && fetchWaitEnd(context, event.fetchUntil) > event.at,
                  target: "waiting_for_download",
                  actions: [{
                    type: "setFetchUntil",
                    params: ({ event }) => "fetchUntil" in event ? event.fetchUntil : null,
                  }],
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
          /** An erasure destroys the documents of earlier requests, so the customer gets time to fetch them. */
          waiting_for_download: {
            after: { UNTIL_FETCH_WAIT_ENDS: "grace" },
            on: {
              "download.settled": { target: "grace", actions: [audited("GDPR_REQUEST_RESUMED")] },
              proceed: {
                target: "grace",
                actions: [{ type: "proceed" }, audited("GDPR_DOWNLOAD_RENOUNCED")],
              },
              hold: { target: "held", actions: [audited("GDPR_REQUEST_HELD")] },
              extend: {
                guard: "mayBeExtended",
                target: "waiting_for_download",
                reenter: true, // the wait may end later
                actions: extendActions,
              },
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

/** Actions that end the proposal of an erasure and start its grace period. */
const acceptActions = [
  { type: "endProposal", params: { service: THE_ERASURE } } as const,
  { type: "restartGrace" } as const,
];

/** Region of one participant: retried until it has confirmed or was waived. */
function confirmation(service: string) {
  const isAboutService = ({ event }: { event: { type: string; service?: string } }) =>
    event.service === service;
  const askTimer = `ask ${service}`;
  const overdueTimer = `overdue ${service}`;
  const scheduleRetry = request.raise({ type: "ask", service } as never, {
    id: askTimer,
    delay: retryDelayOf(service) as never,
  });
  const storeAttempt = {
    type: "participant",
    params: ({ context }: { context: RequestContext }) => ({
      service,
      state: context.overdue.includes(service) ? "OVERDUE" as const : "ASKED" as const,
      attempts: context.attempts[service] ?? 0,
      nextAttemptMs: retryDelayOf(service)({ context }),
    }),
  } as const;
  const retryActions = [
    { type: "countAttempt", params: { service } } as const,
    { type: "askAgain", params: { service } } as const,
    scheduleRetry,
    storeAttempt,
  ];
  const settling = (state: "CONFIRMED" | "WAIVED", action: string) => [
    request.cancel(askTimer),
    request.cancel(overdueTimer),
    { type: "participant", params: { service, state } } as const,
    { type: "endProposal", params: { service } } as const,
    audited(action),
  ];
  const waiveActions = [
    { type: "countWaiver", params: { service } } as const,
    ...settling("WAIVED", "GDPR_PARTICIPANT_WAIVED"),
  ];
  const openTransitions = {
    ask: { guard: isAboutService, actions: retryActions },
    retry: {
      guard: isAboutService,
      actions: [
        request.cancel(askTimer),
        { type: "forgetAttempts", params: { service } } as const,
        ...retryActions,
        audited("GDPR_PARTICIPANT_RETRIED"),
      ],
    },
    "participant.confirm": {
      guard: isAboutService,
      target: "confirmed",
      actions: settling("CONFIRMED", "GDPR_PARTICIPANT_CONFIRMED"),
    },
    "participant.overdue": {
      guard: ({ context, event }: { context: RequestContext; event: { type: string; service?: string } }) =>
        isAboutService({ event }) && !context.overdue.includes(service),
      actions: [
        { type: "countOverdue", params: { service } } as const,
        { type: "participant", params: { service, state: "OVERDUE" } } as const,
        audited("GDPR_PARTICIPANT_OVERDUE"),
      ],
    },
  };
  const waive = [
    {
      guard: ({ event }: { event: { type: string; service?: string; secondPerson?: boolean } }) =>
        isAboutService({ event }) && event.secondPerson === true,
      target: "waiver_proposed",
      actions: [
        {
          type: "propose",
          params: ({ event }: { event: { by?: string } }) => ({ by: event.by ?? "", service }),
        } as const,
        audited("GDPR_WAIVER_PROPOSED"),
      ],
    },
    { guard: isAboutService, target: "waived", actions: waiveActions },
  ];
  const proposal: AboutProposal = { service };
  const endProposal = { type: "endProposal", params: { service } } as const;
  return request.createStateConfig({
    initial: "asked",
    entry: [
      { type: "countAttempt", params: { service } },
      scheduleRetry,
      request.raise({ type: "participant.overdue", service } as never, {
        id: overdueTimer,
        delay: OVERDUE_MS,
      }),
      storeAttempt,
    ],
    states: {
      asked: {
        always: { guard: ({ context }) => context.overdue.includes(service), target: "overdue" },
        on: { ...openTransitions, waive },
      },
      overdue: { on: { ...openTransitions, waive } },
      /** A second person confirms or rejects the waiver; until then the participant may still confirm. */
      waiver_proposed: {
        on: {
          ...openTransitions,
          confirm: {
            guard: { type: "isSecondPerson", params: proposal },
            target: "waived",
            actions: waiveActions,
          },
          reject: {
            guard: { type: "isSecondPerson", params: proposal },
            target: "asked",
            actions: [endProposal, audited("GDPR_WAIVER_REJECTED")],
          },
          withdraw: {
            guard: { type: "isProposer", params: proposal },
            target: "asked",
            actions: [endProposal, audited("GDPR_WAIVER_WITHDRAWN")],
          },
        },
      },
      confirmed: { type: "final" },
      waived: { type: "final" },
    },
  });
}
