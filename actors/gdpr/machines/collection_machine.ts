/**
 * State machine of an access or a portability request: collects the data of all participants in parallel, then
 * compiles the documents. A participant that does not deliver blocks the request until staff waive it. A completed
 * request whose documents the customer does not fetch in time is not fulfilled.
 *
 * | state                             | by itself                                    | moved on by                    |
 * | --------------------------------- | -------------------------------------------- | ------------------------------ |
 * | PENDING.identifying               | nothing                                      | verify, fail, request information|
 * | PENDING.waiting_for_information   | ends 30 days after the request               | receive, cancel, refuse        |
 * | PENDING.recorded                  | starts at `startsAt`                         | hold, cancel, refuse           |
 * | PENDING.held                      | nothing                                      | release, cancel, refuse        |
 * | IN_PROGRESS.collecting            | compiles when each region below is final     | cancel, refuse                 |
 * | … .asked                          | the effect source.collect ends it            | retry, waive                   |
 * | … .retrying                       | asks again after a delay                     | retry, waive                   |
 * | … .overdue                        | nothing                                      | retry, waive                   |
 * | … .received, … .waived            | final                                        | nothing                        |
 * | IN_PROGRESS.compiling             | the effect export.compile ends it            | retry, cancel, refuse          |
 * | COMPLETED.available               | not_fetched at the documents' expiry         | the download, an erasure       |
 * | COMPLETED.not_fetched             | nothing                                      | the end of a running download  |
 * | COMPLETED.fetched, .without_documents | final                                    | nothing                        |
 */
import { newContext, type RequestContext } from "./events.ts";
import {
  audit,
  cancelDeadlineTimers,
  deadlineTransitions,
  endTransitions,
  fulfillActions,
  identifyActions,
  identifying,
  notify,
  openingActions,
  raiseLater,
  requestSetup,
  retryDelayOf,
  stepRetry,
  waitingForInformation,
} from "./setup.ts";

/** Consecutive failures after which automatic retries stop and the participant's row says OVERDUE. */
export const COLLECTION_ATTEMPTS = 8;

/** @param participants names of the services including this one, fixed when the request is opened */
export function createCollectionMachine(
  id: "gdpr_access@1" | "gdpr_portability@1",
  participants: readonly string[],
) {
  return requestSetup.createMachine({
    id,
    context: ({ input }) => newContext(input),
    entry: openingActions,
    initial: "PENDING",
    states: {
      PENDING: {
        initial: "opened",
        on: { ...deadlineTransitions, ...endTransitions },
        states: {
          opened: { always: [{ guard: "isUnidentified", target: "identifying" }, { target: "recorded" }] },
          /** The request comes from outside a signed-in account: staff check the identity of the person. */
          identifying: {
            ...identifying,
            on: { ...identifying.on, "identity.verify": { target: "recorded", actions: identifyActions } },
          },
          waiting_for_information: waitingForInformation,
          recorded: {
            after: { UNTIL_START: "#IN_PROGRESS" },
            on: { hold: { target: "held", actions: [audit("GDPR_REQUEST_HELD")] } },
          },
          held: { on: { release: { target: "recorded", actions: [audit("GDPR_REQUEST_RELEASED")] } } },
        },
      },
      IN_PROGRESS: {
        id: "IN_PROGRESS",
        initial: "collecting",
        on: { ...deadlineTransitions, ...endTransitions },
        states: {
          collecting: {
            type: "parallel",
            states: Object.fromEntries(participants.map((service) => [service, participantRegion(service)])),
            onDone: "compiling",
          },
          compiling: {
            entry: [{ type: "perform", params: { effect: "export.compile", params: {} } }],
            on: {
              compiled: {
                target: "#COMPLETED.available",
                actions: [
                  { type: "setExpiry", params: ({ event }) => event.expiresAt },
                  ...fulfillActions,
                  notify("READY"),
                ],
              },
              retry: { ...stepRetry("compiling"), reenter: true },
            },
          },
        },
      },
      COMPLETED: {
        id: "COMPLETED",
        entry: [...cancelDeadlineTimers, { type: "releaseErasure" }],
        initial: "without_documents",
        states: {
          /** The request was canceled or refused. */
          without_documents: { type: "final" },
          /** The customer can download the documents. */
          available: {
            after: { UNTIL_EXPIRY: { target: "not_fetched", actions: notFetchedActions } },
            on: {
              "export.fetched": { target: "fetched", actions: fetchedActions },
              hand_over: { target: "fetched", actions: handedOverActions },
              "export.destroyed": { target: "not_fetched", actions: notFetchedActions },
            },
          },
          fetched: { type: "final" },
          /** A download that was in progress may still end, and staff may record late what they have handed over. */
          not_fetched: {
            on: {
              "export.fetched": { target: "fetched", actions: [{ type: "setFulfilled" }, ...fetchedActions] },
              hand_over: { target: "fetched", actions: [{ type: "setFulfilled" }, ...handedOverActions] },
            },
          },
        },
      },
    },
  });
}

const fetchedWith = (action: string) => [
  { type: "setFetched" } as const,
  audit(action),
  { type: "releaseErasure" } as const,
];
const fetchedActions = fetchedWith("GDPR_EXPORT_FETCHED");
const handedOverActions = fetchedWith("GDPR_DOCUMENTS_HANDED_OVER");
const notFetchedActions = [
  { type: "setOutcome", params: "NOT_FETCHED" } as const,
  audit("GDPR_EXPORT_NOT_FETCHED"),
  { type: "releaseErasure" } as const,
];

/** Region of one participant. */
function participantRegion(service: string) {
  const isAboutService = ({ event }: { event: { type: string; service?: string } }) =>
    event.service === service;
  const id = `ask ${service}`;
  const updateParticipantRow = (state: "RECEIVED" | "WAIVED") =>
    ({ type: "participant", params: { service, state } }) as const;
  const settleTransitions = {
    "source.received": {
      guard: isAboutService,
      target: "received",
      actions: [updateParticipantRow("RECEIVED"), audit("GDPR_SOURCE_RECEIVED")],
    },
    waive: {
      guard: isAboutService,
      target: "waived",
      actions: [
        updateParticipantRow("WAIVED"),
        { type: "countWaiver", params: { service } } as const,
        audit("GDPR_PARTICIPANT_WAIVED"),
      ],
    },
  };
  const retryTransition = {
    guard: isAboutService,
    target: "asked",
    actions: [{ type: "forgetAttempts", params: { service } } as const, audit("GDPR_PARTICIPANT_RETRIED")],
  };
  return requestSetup.createStateConfig({
    initial: "asked",
    states: {
      asked: {
        entry: [
          { type: "countAttempt", params: { service } },
          { type: "perform", params: { effect: "source.collect", params: { service } } },
          {
            type: "participant",
            params: ({ context }) => ({
              service,
              state: "ASKED",
              attempts: context.attempts[service] ?? 0,
              nextAttemptMs: null,
            }),
          },
        ],
        on: {
          ...settleTransitions,
          retry: { ...retryTransition, reenter: true }, // the effect may have run out of attempts
          "source.failed": [
            {
              guard: ({ context, event }) =>
                isAboutService({ event }) && (context.attempts[service] ?? 0) < COLLECTION_ATTEMPTS,
              target: "retrying",
              actions: [failureOf(service, "RETRYING")],
            },
            {
              guard: isAboutService,
              target: "overdue",
              actions: [failureOf(service, "OVERDUE"), audit("GDPR_PARTICIPANT_OVERDUE")],
            },
          ],
        },
      },
      retrying: {
        entry: [
          raiseLater({ type: "ask", service }, { id, delay: retryDelayOf(service) }),
        ],
        exit: [requestSetup.cancel(id)],
        on: { ...settleTransitions, retry: retryTransition, ask: { guard: isAboutService, target: "asked" } },
      },
      overdue: { on: { ...settleTransitions, retry: retryTransition } },
      received: { type: "final" },
      waived: { type: "final" },
    },
  });
}

function failureOf(service: string, state: "RETRYING" | "OVERDUE") {
  return {
    type: "participant",
    params: (
      { context, event }: { context: RequestContext; event: { error?: string } },
    ) => ({
      service,
      state,
      lastError: event.error ?? null,
      nextAttemptMs: state === "RETRYING" ? retryDelayOf(service)({ context }) : null,
    }),
  } as const;
}
