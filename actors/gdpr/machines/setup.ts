/**
 * XState setup that the request machines share: the deadlines, the endings and the attempt counters. A machine's ID ends
 * with its version, such as @1, and rows name it: an incompatible change gets a new version, and the old machine stays
 * until no row names it.
 */
import { assign, setup } from "xstate";
import {
  AT_RISK_MS,
  fetchWaitEnd,
  INFORMATION_WAIT_MS,
  MAX_IDENTITY_FAILURES,
  openedAtOf,
  participantRetryDelay,
  requestActions,
  type RequestContext,
  type RequestEvent,
  type RequestInput,
  type RequestOutcome,
  THE_ERASURE,
} from "./events.ts";
import { sharedActions } from "../../actions.ts";
import type { NoticeKind } from "../../../domain/notices.ts";

/** Context and event of a step; the initial event has no time, so the opening counts. */
type Step = { context: RequestContext; event: { at?: number } };
const timeOf = ({ context, event }: Step) => event.at ?? openedAtOf(context);
const until = (instant: number, step: Step) => Math.max(0, instant - timeOf(step));

/** A proposal to waive a participant, or without a service the proposal to erase. */
export interface AboutProposal {
  service?: string;
}

const proposerOf = ({ proposals }: RequestContext, service: string = THE_ERASURE) => proposals[service];

export const requestSetup = setup({
  types: { context: {} as RequestContext, events: {} as RequestEvent, input: {} as RequestInput },
  actions: {
    ...sharedActions,
    ...requestActions,
    countAttempt: assign({
      attempts: ({ context }, { service }: { service: string }) => ({
        ...context.attempts,
        [service]: (context.attempts[service] ?? 0) + 1,
      }),
      asked: ({ context: { asked, attempts } }, { service }: { service: string }) => ({
        ...asked,
        [service]: (asked?.[service] ?? attempts[service] ?? 0) + 1,
      }),
    }),
    forgetAttempts: assign({
      attempts: ({ context }, { service }: { service: string }) => ({ ...context.attempts, [service]: 0 }),
    }),
    setOutcome: assign({
      outcome: (_, outcome: RequestOutcome) => outcome,
      completedAt: ({ context, event }) => context.completedAt ?? timeOf({ context, event }),
    }),
    setFulfilled: assign({
      outcome: ({ context: { waived } }) => waived.length > 0 ? "FULFILLED_WITH_WAIVERS" : "FULFILLED",
      completedAt: ({ context, event }) => context.completedAt ?? timeOf({ context, event }),
    }),
    propose: assign({
      proposals: ({ context }, { by, service }: { by: string; service: string }) => ({
        ...context.proposals,
        [service]: by,
      }),
    }),
    endProposal: assign({
      proposals: ({ context: { proposals } }, { service }: { service: string }) =>
        Object.fromEntries(Object.entries(proposals).filter(([name]) => name !== service)),
    }),
    countWaiver: assign({
      waived: ({ context: { waived } }, { service }: { service: string }) => [...waived, service],
    }),
    countOverdue: assign({
      overdue: ({ context: { overdue } }, { service }: { service: string }) => [...overdue, service],
    }),
    /** Starts the grace period, once: its length is the time from the opening to the start. */
    restartGrace: assign({
      startsAt: ({ context, event }) => timeOf({ context, event }) + context.startsAt - openedAtOf(context),
    }),
    setFetchUntil: assign({ fetchUntil: (_, fetchUntil: number | null) => fetchUntil }),
    setExpiry: assign({ expiresAt: (_, expiresAt: number) => expiresAt }),
    setFetched: assign({ fetchedAt: ({ context, event }) => timeOf({ context, event }) }),
    proceed: assign({ proceeds: true }),
    setHeldBy: assign({ heldBy: (_, heldBy: RequestContext["heldBy"]) => heldBy }),
    setResidue: assign({ residue: (_, residue: number) => residue }),
    setDeadlineState: assign({ clock: (_, clock: RequestContext["clock"]) => clock }),
    extendTo: assign(({ context, event }, dueAt: number) => ({
      dueAt,
      dueDates: [...context.dueDates ?? [], { since: timeOf({ context, event }), dueAt }],
      extended: true,
      clock: "ON_TIME" as const,
    })),
    countIdentityFailure: assign({
      identityFailures: ({ context: { identityFailures = 0 } }) => identityFailures + 1,
    }),
    setIdentified: assign({ unidentified: false }),
    pauseClock: assign({ pausedAt: timeOf }),
    resumeClock: assign((
      { context, event },
      { dueAt, pausedDays }: { dueAt: number; pausedDays: number },
    ) => ({
      dueAt,
      dueDates: [...context.dueDates ?? [], { since: timeOf({ context, event }), dueAt }],
      pausedAt: null,
      pausedDays,
      clock: "ON_TIME" as const,
    })),
  },
  guards: {
    /** Article 12(3) allows one extension, within one month of receipt: before the first due date. */
    mayBeExtended: ({ context, event }) =>
      !context.extended && event.type === "extend" && event.at < context.dueAt,
    isCustomerHeld: ({ event }) => "customerHeld" in event && event.customerHeld === true,
    /** The account is open again, so its retention period has ended without an erasure. */
    isReopened: ({ context, event }) =>
      context.cause === "RETENTION" && "reopened" in event && event.reopened === true,
    isHeldByRequest: ({ context }) => context.heldBy !== "CUSTOMER",
    isUnidentified: ({ context }) => context.unidentified === true,
    isLastCheck: ({ context: { identityFailures = 0 } }) => identityFailures + 1 >= MAX_IDENTITY_FAILURES,
    isProposed: ({ context }) => Object.hasOwn(context.proposals, THE_ERASURE),
    /** The person who proposes a decision cannot confirm it. */
    isSecondPerson: ({ context, event }, { service }: AboutProposal) =>
      "by" in event && event.service === service && proposerOf(context, service) !== event.by,
    isProposer: ({ context, event }, { service }: AboutProposal) =>
      "by" in event && event.service === service && proposerOf(context, service) === event.by,
  },
  delays: {
    UNTIL_START: (step) => until(step.context.startsAt, step),
    UNTIL_AT_RISK: (step) => until(step.context.dueAt - AT_RISK_MS, step),
    UNTIL_OVERDUE: (step) => until(step.context.dueAt, step),
    UNTIL_FETCH_WAIT_ENDS: (step) => until(fetchWaitEnd(step.context, step.context.fetchUntil ?? 0), step),
    UNTIL_INFORMATION_EXPIRES: (step) => until((step.context.pausedAt ?? 0) + INFORMATION_WAIT_MS, step),
    UNTIL_EXPIRY: (step) => until(step.context.expiresAt ?? 0, step),
  },
});

export const audit = (action: string) => ({ type: "audit", params: { action } }) as const;

/** Creates a notice to the customer that is due with the request itself. */
export const notify = (kind: NoticeKind, waits = false) =>
  ({
    type: "notify",
    params: ({ context: { dueAt, cause } }: { context: RequestContext }) => ({ kind, dueAt, cause, waits }),
  }) as const;

/** Delay before the next attempt for a participant, by the number of its attempts. */
export const retryDelayOf = (service: string) => ({ context }: { context: RequestContext }) =>
  participantRetryDelay(context.attempts[service] ?? 1, context.spread);

type WithoutTime<Event> = Event extends RequestEvent ? Omit<Event, "at"> : never;

/**
 * Raises an event after a delay, by a timer with the given ID. The event has no time yet: the runtime adds it when the
 * timer fires. Functions of the context are typed here, as XState cannot infer their type where they are used.
 */
export function raiseLater(
  event: WithoutTime<RequestEvent>,
  timer: { id: string; delay: number | "UNTIL_AT_RISK" | "UNTIL_OVERDUE" | ReturnType<typeof retryDelayOf> },
) {
  return requestSetup.raise(event as RequestEvent, timer);
}

const startDeadlineTimers = [
  raiseLater({ type: "clock.at_risk" }, { id: "clock.at_risk", delay: "UNTIL_AT_RISK" }),
  raiseLater({ type: "clock.overdue" }, { id: "clock.overdue", delay: "UNTIL_OVERDUE" }),
];

export const cancelDeadlineTimers = [
  requestSetup.cancel("clock.at_risk"),
  requestSetup.cancel("clock.overdue"),
];

/** Entry actions of every request. */
export const openingActions = [
  ...startDeadlineTimers,
  audit("GDPR_REQUEST_OPENED"),
  notify("RECEIVED"),
];

/** Actions of an extension. */
export const extendActions = [
  ...cancelDeadlineTimers,
  notify("EXTENDED"), // before the first due date, which the next action moves
  {
    type: "extendTo",
    params: ({ event }: { event: { dueAt?: number } }) => event.dueAt ?? 0,
  } as const,
  ...startDeadlineTimers,
  audit("GDPR_REQUEST_EXTENDED"),
];

/** Transitions at the statutory deadlines, for all states but COMPLETED. */
export const deadlineTransitions = requestSetup.createStateConfig({
  on: {
    "clock.at_risk": {
      guard: ({ context }) => context.clock === "ON_TIME", // after an outage both timers are due and fire in any order
      actions: [{ type: "setDeadlineState", params: "AT_RISK" }, audit("GDPR_REQUEST_AT_RISK")],
    },
    "clock.overdue": {
      actions: [{ type: "setDeadlineState", params: "OVERDUE" }, audit("GDPR_REQUEST_OVERDUE")],
    },
    extend: {
      guard: "mayBeExtended",
      actions: extendActions,
    },
  },
}).on;

/** Transitions that end a request unfulfilled. */
export const endTransitions = requestSetup.createStateConfig({
  on: {
    cancel: {
      target: "#COMPLETED",
      actions: [
        { type: "setOutcome", params: "CANCELLED" },
        { type: "destroyExports" },
        audit("GDPR_REQUEST_CANCELLED"),
        notify("CANCELLED"),
      ],
    },
    refuse: {
      target: "#COMPLETED",
      actions: [
        { type: "setOutcome", params: "REFUSED" },
        { type: "destroyExports" },
        audit("GDPR_REQUEST_REFUSED"),
        notify("REFUSED"),
      ],
    },
  },
}).on;

const endUnidentified = {
  target: "#COMPLETED",
  actions: [
    { type: "setOutcome", params: "NOT_IDENTIFIED" },
    audit("GDPR_REQUEST_NOT_IDENTIFIED"),
    notify("REFUSED"),
  ],
} as const;

/** Staff check the identity: the sender may be a different person. The clock runs. */
export const identifying = requestSetup.createStateConfig({
  on: {
    "identity.fail": [
      {
        guard: "isLastCheck",
        target: endUnidentified.target,
        actions: [{ type: "countIdentityFailure" }, ...endUnidentified.actions],
      },
      { actions: [{ type: "countIdentityFailure" }, audit("GDPR_IDENTITY_CHECK_FAILED")] },
    ],
    "subject.erased": endUnidentified,
    "information.request": {
      target: "waiting_for_information",
      actions: [
        { type: "pauseClock" },
        ...cancelDeadlineTimers,
        audit("GDPR_INFORMATION_REQUESTED"),
        notify("IDENTITY_NEEDED"),
      ],
    },
  },
});

/** Staff have requested information that they need to check the identity. The clock is paused (Article 12(6)). */
export const waitingForInformation = requestSetup.createStateConfig({
  after: { UNTIL_INFORMATION_EXPIRES: endUnidentified },
  on: {
    "information.receive": {
      target: "identifying",
      actions: [
        {
          type: "resumeClock",
          params: ({ event }) => ({ dueAt: event.dueAt, pausedDays: event.pausedDays }),
        },
        ...startDeadlineTimers,
        audit("GDPR_INFORMATION_RECEIVED"),
      ],
    },
    "subject.erased": endUnidentified,
    extend: {}, // the due date is not known yet
    "clock.at_risk": {},
    "clock.overdue": {},
  },
});

/** Actions of a successful check before the decision of a second person, with which the grace period starts. */
export const identifyProposedActions = [
  { type: "setIdentified" } as const,
  audit("GDPR_IDENTITY_VERIFIED"),
];

/** Actions of a successful check. The grace period of an erasure starts with it. */
export const identifyActions = [...identifyProposedActions, { type: "restartGrace" } as const];

/** Retry of a step that concerns no single participant. */
export const stepRetry = <State extends string>(target: State) =>
  ({
    guard: ({ event }: { event: { service?: string } }) => event.service === undefined,
    target,
    actions: [audit("GDPR_REQUEST_RETRIED")],
  }) as const;

/** Actions of a request that completes successfully. */
export const fulfillActions = [
  { type: "setFulfilled" } as const,
  {
    type: "audit",
    params: ({ context: { waived } }: { context: RequestContext }) => ({
      action: waived.length > 0 ? "GDPR_REQUEST_COMPLETED_WITH_WAIVERS" : "GDPR_REQUEST_COMPLETED",
    }),
  } as const,
];
