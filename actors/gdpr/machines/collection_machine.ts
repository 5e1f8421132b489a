/**
 * State machine of an access or a portability request: collects the data of all participants in parallel, then
 * compiles the documents. A participant that does not deliver blocks the request until staff waive it. A completed
 * request whose documents the customer does not fetch in time is not fulfilled.
 */
import { newContext } from "./events.ts";
import {
  audited,
  clockTransitions,
  endTransitions,
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

/** Consecutive failures after which a participant is overdue and no longer retried automatically. */
export const SOURCE_ATTEMPTS = 8;

/** @param sources names of the participants including this service, fixed when the request is opened */
export function createCollectionMachine(
  id: "gdpr_access@1" | "gdpr_portability@1",
  sources: readonly string[],
) {
  return request.createMachine({
    id,
    context: ({ input }) => newContext(input),
    entry: openingActions,
    initial: "PENDING",
    states: {
      PENDING: {
        initial: "opened",
        on: { ...clockTransitions, ...endTransitions },
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
            on: { hold: { target: "held", actions: [audited("GDPR_REQUEST_HELD")] } },
          },
          held: { on: { release: { target: "recorded", actions: [audited("GDPR_REQUEST_RELEASED")] } } },
        },
      },
      IN_PROGRESS: {
        id: "IN_PROGRESS",
        initial: "collecting",
        on: { ...clockTransitions, ...endTransitions },
        states: {
          collecting: {
            type: "parallel",
            states: Object.fromEntries(sources.map((service) => [service, source(service)])),
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
                ],
              },
              retry: { ...stepRetry("compiling"), reenter: true },
            },
          },
        },
      },
      COMPLETED: {
        id: "COMPLETED",
        entry: [...stopClock, { type: "releaseErasure" }],
        initial: "without_documents",
        states: {
          /** Canceled or refused. */
          without_documents: { type: "final" },
          /** The customer can download the documents. */
          available: {
            after: { UNTIL_EXPIRY: { target: "not_fetched", actions: notFetchedActions } },
            on: {
              "export.fetched": { target: "fetched", actions: fetchedActions },
              "export.destroyed": { target: "not_fetched", actions: notFetchedActions },
            },
          },
          fetched: { type: "final" },
          /** A download that was in progress may still end. */
          not_fetched: {
            on: {
              "export.fetched": { target: "fetched", actions: [{ type: "setFulfilled" }, ...fetchedActions] },
            },
          },
        },
      },
    },
  });
}

const fetchedActions = [
  { type: "setFetched" } as const,
  audited("GDPR_EXPORT_FETCHED"),
  { type: "releaseErasure" } as const,
];
const notFetchedActions = [
  { type: "setOutcome", params: "NOT_FETCHED" } as const,
  audited("GDPR_EXPORT_NOT_FETCHED"),
  { type: "releaseErasure" } as const,
];

/** Region of one participant. */
function source(service: string) {
  const isAboutService = ({ event }: { event: { type: string; service?: string } }) =>
    event.service === service;
  const id = `ask ${service}`;
  const row = (state: "RECEIVED" | "WAIVED") =>
    ({ type: "participant", params: { service, state } }) as const;
  const settling = {
    "source.received": {
      guard: isAboutService,
      target: "received",
      actions: [row("RECEIVED"), audited("GDPR_SOURCE_RECEIVED")],
    },
    waive: {
      guard: isAboutService,
      target: "waived",
      actions: [
        row("WAIVED"),
        { type: "countWaiver", params: { service } } as const,
        audited("GDPR_PARTICIPANT_WAIVED"),
      ],
    },
  };
  const retry = {
    guard: isAboutService,
    target: "asked",
    actions: [{ type: "forgetAttempts", params: { service } } as const, audited("GDPR_PARTICIPANT_RETRIED")],
  };
  return request.createStateConfig({
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
          ...settling,
          retry: { ...retry, reenter: true }, // the effect may have run out of attempts
          "source.failed": [
            {
              guard: ({ context, event }) =>
                isAboutService({ event }) && (context.attempts[service] ?? 0) < SOURCE_ATTEMPTS,
              target: "retrying",
              actions: [failureOf(service, "RETRYING")],
            },
            {
              guard: isAboutService,
              target: "overdue",
              actions: [failureOf(service, "OVERDUE"), audited("GDPR_PARTICIPANT_OVERDUE")],
            },
          ],
        },
      },
      retrying: {
        entry: [
          request.raise({ type: "ask", service } as never, { id, delay: retryDelayOf(service) as never }),
        ],
        exit: [request.cancel(id)],
        on: { ...settling, retry, ask: { guard: isAboutService, target: "asked" } },
      },
      overdue: { on: { ...settling, retry } },
      received: { type: "final" },
      waived: { type: "final" },
    },
  });
}

function failureOf(service: string, state: "RETRYING" | "OVERDUE") {
  return {
    type: "participant",
    params: (
      { context, event }: { context: { attempts: Record<string, number> }; event: { error?: string } },
    ) => ({
      service,
      state,
      lastError: event.error ?? null,
      nextAttemptMs: state === "RETRYING" ? retryDelayOf(service)({ context } as never) : null,
    }),
  } as const;
}
