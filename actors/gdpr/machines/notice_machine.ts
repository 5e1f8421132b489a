/**
 * State machine of a notice to a customer about a request. While it is due, the message gdpr.notice_due is published
 * again, ever more rarely, until communication-service reports the result. No state is final: a late report is still
 * recorded. A notice that was waived stays so when the address refuses it, as the customer is informed in another way.
 *
 * | state         | by itself                            | moved on by            |
 * | ------------- | ------------------------------------ | ---------------------- |
 * | waiting       | due at once, unless an erasure has to be completed first | fall_due |
 * | due           | published again; expired in the end  | deliver, bounce, waive |
 * | undeliverable | nothing                              | deliver, waive         |
 * | expired       | nothing                              | deliver, bounce, waive |
 * | waived        | nothing                              | deliver                |
 * | delivered     | nothing                              | bounce                 |
 */
import { assign, setup } from "xstate";
import { exponential } from "../../../lib/backoff.ts";
import { sharedActions } from "../../actions.ts";
import type { NoticeKind } from "../../../domain/notices.ts";

export const NOTICE_MACHINE = "gdpr_notice@1";

/** Times are milliseconds since the epoch. */
export interface NoticeContext {
  noticeId: string;
  requestId: string;
  kind: NoticeKind;
  dueAt: number;
  createdAt: number;
  /** Whether the notice waits for the end of an erasure. */
  waits: boolean;
  /** The customer was erased, and no recipient of an earlier notice is left; absent: there is one. */
  unreachable?: boolean;
  /** Number of times that the notice was published as due. */
  attempts: number;
  /** Null while the notice waits. */
  expiresAt: number | null;
}

export type NoticeInput = Omit<NoticeContext, "attempts" | "expiresAt">;

/** Events of a notice, with their time in milliseconds since the epoch. */
export type NoticeEvent =
  & { at: number }
  & ({ type: "fall_due" } | { type: "deliver" } | { type: "bounce" } | { type: "waive" } | {
    type: "xstate.after";
  });

/** Time from the due date, or from the first publication if that is later, until a notice expires; in milliseconds. */
export const NOTICE_LIFETIME_MS = 30 * 24 * 60 * 60_000;
const [FIRST_REPEAT_MS, LAST_REPEAT_MS] = [60 * 60_000, 24 * 60 * 60_000];

/** Context and event of a step; the initial event has no time. */
type Step = { context: NoticeContext; event: { at?: number } };
const timeOf = ({ context, event }: Step) => event.at ?? context.createdAt;

const noticeSetup = setup({
  types: { context: {} as NoticeContext, events: {} as NoticeEvent, input: {} as NoticeInput },
  actions: {
    ...sharedActions,
    countAttempt: assign({
      attempts: ({ context }) => context.attempts + 1,
      expiresAt: ({ context, event }) =>
        context.expiresAt ?? Math.max(context.dueAt, timeOf({ context, event })) + NOTICE_LIFETIME_MS,
    }),
  },
  guards: {
    isUnreachable: ({ context }) => context.unreachable === true,
    isDueAtOnce: ({ context }) => !context.waits,
  },
  delays: {
    UNTIL_REPEAT: ({ context }) => exponential(context.attempts, FIRST_REPEAT_MS, LAST_REPEAT_MS),
    UNTIL_EXPIRED: (step) => Math.max(0, (step.context.expiresAt ?? 0) - timeOf(step)),
  },
});

const audit = (action: string) => ({ type: "audit", params: { action } }) as const;
const deliver = { target: "delivered", actions: [audit("GDPR_NOTICE_DELIVERED")] } as const;
const bounce = { target: "undeliverable", actions: [audit("GDPR_NOTICE_UNDELIVERABLE")] } as const;
const waive = { target: "waived", actions: [audit("GDPR_NOTICE_WAIVED")] } as const;

export const noticeMachine = noticeSetup.createMachine({
  id: NOTICE_MACHINE,
  context: ({ input }) => ({ ...input, attempts: 0, expiresAt: null }),
  initial: "waiting",
  states: {
    waiting: {
      always: [
        { guard: "isUnreachable", target: "undeliverable", actions: bounce.actions },
        { guard: "isDueAtOnce", target: "due" },
      ],
      on: { fall_due: "due" },
    },
    due: {
      entry: [
        { type: "countAttempt" },
        {
          type: "publish",
          params: ({ context: { noticeId, requestId, kind, attempts } }) => ({
            topic: "gdpr.notice_due",
            noticeId,
            requestId,
            kind,
            attempt: attempts,
          }),
        },
      ],
      after: {
        UNTIL_REPEAT: { target: "due", reenter: true },
        UNTIL_EXPIRED: { target: "expired", actions: [audit("GDPR_NOTICE_EXPIRED")] },
      },
      on: { deliver, bounce, waive },
    },
    /** The address has refused the notice, or no address is left. A repeated report changes nothing. */
    undeliverable: { on: { deliver, waive, bounce: "undeliverable" } },
    expired: { on: { deliver, bounce, waive } },
    waived: { on: { deliver, bounce: "waived" } },
    /** A repeated confirmation changes nothing. The address may refuse the notice after it was sent. */
    delivered: { on: { deliver: "delivered", bounce } },
  },
});
