/**
 * State machine of an erasure. Entering IN_PROGRESS is the point of no return: that transaction erases the
 * customer's data in this service and publishes the erasure to the participants. The request is fulfilled when every
 * participant has confirmed or was waived, and a search finds no personal data. With four eyes, a second person
 * confirms a waiver, and an erasure that the customer has not requested.
 *
 * | state                              | by itself                                  | moved on by                      |
 * | ---------------------------------- | ------------------------------------------ | -------------------------------- |
 * | PENDING.identifying                | nothing                                    | verify, fail, request information|
 * | PENDING.waiting_for_information    | ends 30 days after the request             | receive, cancel, refuse          |
 * | PENDING.opened                     | continues at once, or is held as below     | nothing                          |
 * | PENDING.proposed                   | nothing                                    | confirm, reject, withdraw, cancel, the customer's request |
 * | PENDING.grace                      | starts at `startsAt`, or waits as below    | hold, cancel, refuse             |
 * | PENDING.waiting_for_access         | when the other requests have ended         | hold, cancel, refuse             |
 * | PENDING.waiting_for_download       | at the end of the wait                     | the download, proceed, hold, cancel, refuse |
 * | PENDING.held                       | at the end of the last hold on the customer, unless staff hold the request | release, cancel, refuse |
 * | IN_PROGRESS.awaiting_confirmations | verifies when each region below is final   | nothing                          |
 * | … .asked, … .overdue               | asks again after a delay                   | the confirmation, retry, waive   |
 * | … .waiver_proposed                 | asks again after a delay                   | confirm, reject, withdraw, the confirmation |
 * | … .confirmed, … .waived            | final                                      | nothing                          |
 * | IN_PROGRESS.verifying              | the effect erasure.verify ends it          | retry                            |
 * | IN_PROGRESS.residue_found          | nothing                                    | retry                            |
 * | COMPLETED                          | final                                      | nothing                          |
 */
import { and, not, or } from "xstate";
import { fetchWaitEnd, newContext, type RequestContext, THE_ERASURE } from "./events.ts";
import {
  type AboutProposal,
  audit,
  cancelDeadlineTimers,
  deadlineTransitions,
  endTransitions,
  extendActions,
  fulfillActions,
  identifyActions,
  identifying,
  identifyProposedActions,
  notify,
  openingActions,
  raiseLater,
  requestSetup,
  retryDelayOf,
  stepRetry,
  waitingForInformation,
} from "./setup.ts";

/** Time without a confirmation after which a participant is overdue, and still retried; in milliseconds. */
const OVERDUE_MS = 7 * 24 * 60 * 60_000;

/** @param participants names of the services that have to confirm, fixed when the request is opened */
export function createErasureMachine(participants: readonly string[]) {
  return requestSetup.createMachine({
    id: "gdpr_erasure@1",
    context: ({ input }) => newContext(input),
    entry: openingActions,
    initial: "PENDING",
    states: {
      PENDING: {
        initial: "opened",
        on: {
          ...deadlineTransitions,
          ...endTransitions,
          "customer.changed": endOfRetention,
        },
        states: {
          opened: {
            always: [
              { guard: "isUnidentified", target: "identifying" },
              { guard: "isProposed", target: "proposed" },
              {
                guard: ({ context }) => context.heldBy === "CUSTOMER",
                target: "held",
                actions: [audit("GDPR_REQUEST_HELD")],
              },
              { target: "grace" },
            ],
          },
          /** The request comes from outside a signed-in account: staff check the identity of the person. */
          identifying: {
            ...identifying,
            on: {
              ...identifying.on,
              "identity.verify": [
                { guard: "isProposed", target: "proposed", actions: identifyProposedActions },
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
                actions: [...acceptActions, audit("GDPR_ERASURE_CONFIRMED")],
              },
              "subject.request": {
                target: "grace",
                actions: [...acceptActions, audit("GDPR_ERASURE_CONFIRMED")],
              },
              reject: {
                guard: { type: "isSecondPerson", params: {} },
                target: "#COMPLETED",
                actions: [
                  { type: "setOutcome", params: "REFUSED" },
                  audit("GDPR_REQUEST_REFUSED"),
                  notify("REFUSED"),
                ],
              },
              withdraw: {
                guard: { type: "isProposer", params: {} },
                target: "#COMPLETED",
                actions: [
                  { type: "setOutcome", params: "CANCELLED" },
                  audit("GDPR_REQUEST_CANCELLED"),
                  notify("CANCELLED"),
                ],
              },
              refuse: {}, // a second person rejects it instead
              "customer.changed": {}, // the start reads it
            },
          },
          /** The customer may still cancel. */
          grace: {
            after: {
              UNTIL_START: [
                endOfRetention,
                { guard: "isCustomerHeld", target: "held", actions: heldByCustomer },
                {
                  guard: ({ event }) => "accessOpen" in event && event.accessOpen,
                  target: "waiting_for_access",
                },
                {
                  guard: ({ context, event }) =>
                    "fetchUntil" in event && event.fetchUntil !== null && context.cause !== "RESTORE" &&
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
            on: holdTransitions,
          },
          /** Open access and portability requests are completed first, as they need the data. */
          waiting_for_access: {
            on: {
              "access.closed": { target: "grace", actions: [audit("GDPR_REQUEST_RESUMED")] },
              ...holdTransitions,
            },
          },
          /** An erasure destroys the documents of earlier requests, so the customer gets time to fetch them. */
          waiting_for_download: {
            after: { UNTIL_FETCH_WAIT_ENDS: "grace" },
            on: {
              "download.settled": { target: "grace", actions: [audit("GDPR_REQUEST_RESUMED")] },
              proceed: {
                target: "grace",
                actions: [{ type: "proceed" }, audit("GDPR_DOWNLOAD_RENOUNCED")],
              },
              ...holdTransitions,
              extend: {
                guard: "mayBeExtended",
                target: "waiting_for_download",
                reenter: true, // the wait may end later
                actions: extendActions,
              },
            },
          },
          /** Staff hold the request, or legal holds on the customer are in effect: nothing may be erased. */
          held: {
            on: {
              release: [
                {
                  guard: and(["isHeldByRequest", "isCustomerHeld"]),
                  actions: [{ type: "setHeldBy", params: "CUSTOMER" }, audit("GDPR_REQUEST_RELEASED")],
                },
                { guard: "isHeldByRequest", target: "grace", actions: releaseActions },
              ],
              "customer.changed": {
                guard: not(or(["isReopened", "isHeldByRequest", "isCustomerHeld"])),
                target: "grace",
                actions: releaseActions,
              },
            },
          },
        },
      },
      IN_PROGRESS: {
        id: "IN_PROGRESS",
        entry: [
          notify("ERASED", true), // before the recipient is sealed
          { type: "eraseSubject", params: { participants: [...participants] } },
        ],
        initial: participants.length > 0 ? "awaiting_confirmations" : "verifying",
        on: deadlineTransitions,
        states: {
          awaiting_confirmations: {
            type: "parallel",
            states: Object.fromEntries(participants.map((service) => [service, participantRegion(service)])),
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
                  }, { type: "publishNotices" }],
                },
                {
                  target: "residue_found",
                  actions: [
                    { type: "setResidue", params: ({ event }) => event.residue },
                    audit("GDPR_RESIDUE_FOUND"),
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
      COMPLETED: { id: "COMPLETED", type: "final", entry: cancelDeadlineTimers },
    },
  });
}

const heldByCustomer = [{ type: "setHeldBy", params: "CUSTOMER" } as const, audit("GDPR_REQUEST_HELD")];

/** The account was reopened before the erasure at the end of its retention period. */
const endOfRetention = {
  guard: "isReopened",
  target: "#COMPLETED",
  actions: [
    { type: "setOutcome", params: "CANCELLED" },
    audit("GDPR_REQUEST_CANCELLED"),
    notify("CANCELLED"),
  ],
} as const;

/** Transitions by a hold on the request or on the customer, before the point of no return. */
const holdTransitions = {
  hold: { target: "held", actions: [{ type: "setHeldBy", params: "REQUEST" }, audit("GDPR_REQUEST_HELD")] },
  "customer.changed": {
    guard: and([not("isReopened"), "isCustomerHeld"]),
    target: "held",
    actions: heldByCustomer,
  },
} as const;

const releaseActions = [
  { type: "setHeldBy", params: null } as const,
  audit("GDPR_REQUEST_RELEASED"),
];

/** Actions that end the proposal of an erasure and start its grace period. */
const acceptActions = [
  { type: "endProposal", params: { service: THE_ERASURE } } as const,
  { type: "restartGrace" } as const,
];

/** Region of one participant: retried until it has confirmed or was waived. */
function participantRegion(service: string) {
  const isAboutService = ({ event }: { event: { type: string; service?: string } }) =>
    event.service === service;
  const askTimer = `ask ${service}`;
  const overdueTimer = `overdue ${service}`;
  const scheduleRetry = raiseLater({ type: "ask", service }, { id: askTimer, delay: retryDelayOf(service) });
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
  const settleActions = (state: "CONFIRMED" | "WAIVED", action: string) => [
    requestSetup.cancel(askTimer),
    requestSetup.cancel(overdueTimer),
    { type: "participant", params: { service, state } } as const,
    { type: "endProposal", params: { service } } as const,
    audit(action),
  ];
  const waiveActions = [
    { type: "countWaiver", params: { service } } as const,
    ...settleActions("WAIVED", "GDPR_PARTICIPANT_WAIVED"),
  ];
  const openTransitions = {
    ask: { guard: isAboutService, actions: retryActions },
    retry: {
      guard: isAboutService,
      actions: [
        requestSetup.cancel(askTimer),
        { type: "forgetAttempts", params: { service } } as const,
        ...retryActions,
        audit("GDPR_PARTICIPANT_RETRIED"),
      ],
    },
    "participant.confirm": {
      guard: isAboutService,
      target: "confirmed",
      actions: settleActions("CONFIRMED", "GDPR_PARTICIPANT_CONFIRMED"),
    },
    "participant.overdue": {
      guard: ({ context, event }: { context: RequestContext; event: { type: string; service?: string } }) =>
        isAboutService({ event }) && !context.overdue.includes(service),
      actions: [
        { type: "countOverdue", params: { service } } as const,
        { type: "participant", params: { service, state: "OVERDUE" } } as const,
        audit("GDPR_PARTICIPANT_OVERDUE"),
      ],
    },
  };
  const waiveTransitions = [
    {
      guard: ({ event }: { event: { type: string; service?: string; secondPerson?: boolean } }) =>
        isAboutService({ event }) && event.secondPerson === true,
      target: "waiver_proposed",
      actions: [
        {
          type: "propose",
          params: ({ event }: { event: { by?: string } }) => ({ by: event.by ?? "", service }),
        } as const,
        audit("GDPR_WAIVER_PROPOSED"),
      ],
    },
    { guard: isAboutService, target: "waived", actions: waiveActions },
  ];
  const proposal: AboutProposal = { service };
  const endProposal = { type: "endProposal", params: { service } } as const;
  return requestSetup.createStateConfig({
    initial: "asked",
    entry: [
      { type: "countAttempt", params: { service } },
      scheduleRetry,
      raiseLater({ type: "participant.overdue", service }, { id: overdueTimer, delay: OVERDUE_MS }),
      storeAttempt,
    ],
    states: {
      asked: {
        always: { guard: ({ context }) => context.overdue.includes(service), target: "overdue" },
        on: { ...openTransitions, waive: waiveTransitions },
      },
      overdue: { on: { ...openTransitions, waive: waiveTransitions } },
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
            actions: [endProposal, audit("GDPR_WAIVER_REJECTED")],
          },
          withdraw: {
            guard: { type: "isProposer", params: proposal },
            target: "asked",
            actions: [endProposal, audit("GDPR_WAIVER_WITHDRAWN")],
          },
        },
      },
      confirmed: { type: "final" },
      waived: { type: "final" },
    },
  });
}
