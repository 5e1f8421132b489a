/**
 * The course of an access or a portability request: every source is asked side by side for what it holds, then the
 * documents are made. A source that stays away is shown and blocks, until it delivers or somebody waives it.
 */
import { newContext } from "./events.ts";
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

/** After so many failures in a row a source is overdue, and not asked again by itself. */
export const SOURCE_ATTEMPTS = 8;

/** @param sources the services that are asked, this one among them, frozen when the request is made */
export function createCollectionMachine(
  id: "gdpr_access@1" | "gdpr_portability@1",
  sources: readonly string[],
) {
  return request.createMachine({
    id,
    context: ({ input }) => newContext(input),
    entry: opened,
    initial: "PENDING",
    states: {
      PENDING: {
        initial: "recorded",
        on: { ...underway, ...endings },
        states: {
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
        on: { ...underway, ...endings },
        states: {
          collecting: {
            type: "parallel",
            states: Object.fromEntries(sources.map((service) => [service, source(service)])),
            onDone: "compiling",
          },
          compiling: {
            entry: [{ type: "perform", params: { effect: "export.compile", params: {} } }],
            on: {
              compiled: { target: "#COMPLETED", actions: fulfilled },
              retry: { ...retried("compiling"), reenter: true },
            },
          },
        },
      },
      COMPLETED: {
        id: "COMPLETED",
        type: "final",
        entry: [...stopClock, { type: "releaseErasure" }],
      },
    },
  });
}

/** The region of one source. */
function source(service: string) {
  const mine = ({ event }: { event: { type: string; service?: string } }) => event.service === service;
  const id = `ask ${service}`;
  const row = (state: "RECEIVED" | "WAIVED") =>
    ({ type: "participant", params: { service, state } }) as const;
  const arrived = {
    "source.received": {
      guard: mine,
      target: "received",
      actions: [row("RECEIVED"), audited("GDPR_SOURCE_RECEIVED")],
    },
    waive: { guard: mine, target: "waived", actions: [row("WAIVED"), audited("GDPR_PARTICIPANT_WAIVED")] },
  };
  const retry = {
    guard: mine,
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
          ...arrived,
          retry: { ...retry, reenter: true }, // the effect may have been given up
          "source.failed": [
            {
              guard: ({ context, event }) =>
                mine({ event }) && (context.attempts[service] ?? 0) < SOURCE_ATTEMPTS,
              target: "retrying",
              actions: [failed(service, "RETRYING")],
            },
            {
              guard: mine,
              target: "overdue",
              actions: [failed(service, "OVERDUE"), audited("GDPR_PARTICIPANT_OVERDUE")],
            },
          ],
        },
      },
      retrying: {
        entry: [request.raise({ type: "ask", service } as never, { id, delay: pauseFor(service) as never })],
        exit: [request.cancel(id)],
        on: { ...arrived, retry, ask: { guard: mine, target: "asked" } },
      },
      overdue: { on: { ...arrived, retry } },
      received: { type: "final" },
      waived: { type: "final" },
    },
  });
}

function failed(service: string, state: "RETRYING" | "OVERDUE") {
  return {
    type: "participant",
    params: (
      { context, event }: { context: { attempts: Record<string, number> }; event: { error?: string } },
    ) => ({
      service,
      state,
      lastError: event.error ?? null,
      nextAttemptMs: state === "RETRYING" ? pauseFor(service)({ context } as never) : null,
    }),
  } as const;
}
