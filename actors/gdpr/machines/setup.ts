/** The parts that the requests' machines share: the clock, the ways out, and what a participant's region counts. */
import { assign, setup } from "xstate";
import {
  AT_RISK_MS,
  pauseBefore,
  requestActions,
  type RequestContext,
  type RequestEvent,
  type RequestInput,
} from "./events.ts";
import { sharedActions } from "../../actions.ts";

/** The time of an event; at the very start that is the receipt. */
type Now = { context: RequestContext; event: { at?: number } };
const until = (instant: number, { context, event }: Now) =>
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
    /** Once, and inside the first month: that is when the first due date lies ahead. */
    mayBeExtended: ({ context, event }) =>
      !context.extended && event.type === "extend" && event.at < context.dueAt,
  },
  delays: {
    UNTIL_START: (now) => until(now.context.startsAt, now),
    UNTIL_AT_RISK: (now) => until(now.context.dueAt - AT_RISK_MS, now),
    UNTIL_OVERDUE: (now) => until(now.context.dueAt, now),
  },
});

export const audited = (action: string) => ({ type: "audit", params: { action } }) as const;

/** The delay before a participant is asked once more, by how often it has been asked. */
export const pauseFor = (service: string) => ({ context }: { context: RequestContext }) =>
  pauseBefore(context.attempts[service] ?? 1, context.spread);

const wind = [
  request.raise({ type: "clock.at_risk" } as RequestEvent, { id: "clock.at_risk", delay: "UNTIL_AT_RISK" }),
  request.raise({ type: "clock.overdue" } as RequestEvent, { id: "clock.overdue", delay: "UNTIL_OVERDUE" }),
];

export const stopClock = [request.cancel("clock.at_risk"), request.cancel("clock.overdue")];

/** What every request does as it is made. */
export const opened = [...wind, audited("GDPR_REQUEST_OPENED")];

/** The clock of a request that is not completed. */
export const underway = request.createStateConfig({
  on: {
    "clock.at_risk": {
      guard: ({ context }) => context.clock === "ON_TIME", // behind an outage both are due, in any order
      actions: [{ type: "setClock", params: "AT_RISK" }, audited("GDPR_REQUEST_AT_RISK")],
    },
    "clock.overdue": { actions: [{ type: "setClock", params: "OVERDUE" }, audited("GDPR_REQUEST_OVERDUE")] },
    extend: {
      guard: "mayBeExtended",
      actions: [
        ...stopClock,
        { type: "extendTo", params: ({ event }) => event.dueAt },
        ...wind,
        audited("GDPR_REQUEST_EXTENDED"),
      ],
    },
  },
}).on;

/** How a request ends that nobody has fulfilled. */
export const endings = request.createStateConfig({
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

/** Staff let something be tried again that is no participant's affair. */
export const retried = <State extends string>(target: State) =>
  ({
    guard: ({ event }: { event: { service?: string } }) => event.service === undefined,
    target,
    actions: [audited("GDPR_REQUEST_RETRIED")],
  }) as const;

export const fulfilled = [
  { type: "setOutcome", params: "FULFILLED" } as const,
  audited("GDPR_REQUEST_COMPLETED"),
];
