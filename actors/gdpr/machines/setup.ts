/** XState setup that the request machines share: the statutory clock, the endings and the attempt counters. */
import { assign, setup } from "xstate";
import {
  AT_RISK_MS,
  participantRetryDelay,
  requestActions,
  type RequestContext,
  type RequestEvent,
  type RequestInput,
} from "./events.ts";
import { sharedActions } from "../../actions.ts";

/** Context and event of a step; the initial event has no time, so the receipt counts. */
type Step = { context: RequestContext; event: { at?: number } };
const until = (instant: number, { context, event }: Step) =>
  Math.max(0, instant - (event.at ?? context.receivedAt));

export const request = setup({
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
    setOutcome: assign({ outcome: (_, outcome: "FULFILLED" | "CANCELLED" | "REFUSED") => outcome }),
    setResidue: assign({ residue: (_, residue: number) => residue }),
    setClock: assign({ clock: (_, clock: RequestContext["clock"]) => clock }),
    extendTo: assign({ dueAt: (_, dueAt: number) => dueAt, extended: true, clock: "ON_TIME" }),
  },
  guards: {
    /** Article 12(3) allows one extension, within one month of receipt: before the first due date. */
    mayBeExtended: ({ context, event }) =>
      !context.extended && event.type === "extend" && event.at < context.dueAt,
  },
  delays: {
    UNTIL_START: (step) => until(step.context.startsAt, step),
    UNTIL_AT_RISK: (step) => until(step.context.dueAt - AT_RISK_MS, step),
    UNTIL_OVERDUE: (step) => until(step.context.dueAt, step),
  },
});

export const audited = (action: string) => ({ type: "audit", params: { action } }) as const;

/** Delay before the next attempt for a participant, by the number of its attempts. */
export const retryDelayOf = (service: string) => ({ context }: { context: RequestContext }) =>
  participantRetryDelay(context.attempts[service] ?? 1, context.spread);

const startClock = [
  request.raise({ type: "clock.at_risk" } as RequestEvent, { id: "clock.at_risk", delay: "UNTIL_AT_RISK" }),
  request.raise({ type: "clock.overdue" } as RequestEvent, { id: "clock.overdue", delay: "UNTIL_OVERDUE" }),
];

export const stopClock = [request.cancel("clock.at_risk"), request.cancel("clock.overdue")];

/** Entry actions of every request. */
export const openingActions = [...startClock, audited("GDPR_REQUEST_OPENED")];

/** Transitions of the statutory clock, for all states but COMPLETED. */
export const clockTransitions = request.createStateConfig({
  on: {
    "clock.at_risk": {
      guard: ({ context }) => context.clock === "ON_TIME", // after an outage both timers are due and fire in any order
      actions: [{ type: "setClock", params: "AT_RISK" }, audited("GDPR_REQUEST_AT_RISK")],
    },
    "clock.overdue": { actions: [{ type: "setClock", params: "OVERDUE" }, audited("GDPR_REQUEST_OVERDUE")] },
    extend: {
      guard: "mayBeExtended",
      actions: [
        ...stopClock,
        { type: "extendTo", params: ({ event }) => event.dueAt },
        ...startClock,
        audited("GDPR_REQUEST_EXTENDED"),
      ],
    },
  },
}).on;

/** Transitions that end a request unfulfilled. */
export const endTransitions = request.createStateConfig({
  on: {
    cancel: {
      target: "#COMPLETED",
      actions: [
        { type: "setOutcome", params: "CANCELLED" },
        { type: "destroyExports" },
        audited("GDPR_REQUEST_CANCELLED"),
      ],
    },
    refuse: {
      target: "#COMPLETED",
      actions: [
        { type: "setOutcome", params: "REFUSED" },
        { type: "destroyExports" },
        audited("GDPR_REQUEST_REFUSED"),
      ],
    },
  },
}).on;

/** Retry of a step that concerns no single participant. */
export const stepRetry = <State extends string>(target: State) =>
  ({
    guard: ({ event }: { event: { service?: string } }) => event.service === undefined,
    target,
    actions: [audited("GDPR_REQUEST_RETRIED")],
  }) as const;

/** Actions of a request that completes successfully. */
export const fulfillActions = [
  { type: "setOutcome", params: "FULFILLED" } as const,
  audited("GDPR_REQUEST_COMPLETED"),
];
