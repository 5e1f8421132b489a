/** Actor behavior of a notice to a customer about a GDPR request: its row and its commands. */
import type { StateValue } from "xstate";
import { z } from "zod";
import { insertNotice, lockNotice, type NoticeRow, updateNotice } from "../../../db/gdpr_notices.ts";
import { uuid } from "../../../domain/input.ts";
import { NOTICE_KINDS, NOTICE_WAIVERS, type NoticeDelivery } from "../../../domain/notices.ts";
import { type Behavior, type Change, type CommandOf, handler } from "../../runtime/behavior.ts";
import {
  NOTICE_MACHINE,
  type NoticeContext,
  type NoticeInput,
  noticeMachine,
} from "../machines/notice_machine.ts";

const SYSTEM = ["SYSTEM"] as const;
const STAFF = ["STAFF"] as const;

const opening = z.strictObject({
  requestId: uuid,
  customerId: uuid,
  kind: z.enum(NOTICE_KINDS),
  dueAt: z.date(),
  /** Whether the notice waits for the end of an erasure. */
  waits: z.boolean(),
  /** The customer was erased, and no recipient is left. */
  unreachable: z.boolean().default(false),
});

const handlers = {
  fall_due: handler(SYSTEM, z.strictObject({}), () => ({
    event: { type: "fall_due" },
    changedFields: ["delivery"],
  })),
  deliver: handler(SYSTEM, z.strictObject({}), ({ row }: { row: NoticeRow }) => ({
    event: { type: "deliver" },
    changedFields: row.delivery === "DELIVERED" ? [] : ["delivery"],
  })),
  bounce: handler(SYSTEM, z.strictObject({}), ({ row }: { row: NoticeRow }) => ({
    event: { type: "bounce" },
    changedFields: row.delivery === "UNDELIVERABLE" || row.delivery === "WAIVED" ? [] : ["delivery"],
  })),
  waive: handler(STAFF, z.strictObject({ waiver: z.enum(NOTICE_WAIVERS) }), ({ by }, { waiver }) => ({
    event: { type: "waive" },
    changedFields: ["delivery", "waiver"],
    columns: { waiver, waivedBy: by.id },
  })),
};

export type NoticeCommand = CommandOf<typeof handlers> | { type: "open" } & z.input<typeof opening>;

const DELIVERY_OF: Readonly<Record<string, NoticeDelivery>> = {
  waiting: "WAITING",
  due: "DUE",
  delivered: "DELIVERED",
  undeliverable: "UNDELIVERABLE",
  waived: "WAIVED",
  expired: "EXPIRED",
};

/** States of a notice in messages. */
const STATE_WORDS: Readonly<Record<NoticeDelivery, string>> = {
  WAITING: "it is not due yet",
  DUE: "it is due",
  DELIVERED: "it was delivered",
  UNDELIVERABLE: "it could not be delivered",
  WAIVED: "staff have waived it",
  EXPIRED: "it has expired",
};

const deliveryOf = (value: StateValue) => DELIVERY_OF[String(value)]!;

/** Public names of the timers' events. */
const TIMERS: readonly [type: RegExp, name: string][] = [
  [/^xstate\.after\.UNTIL_REPEAT\./, "notice.published_again"],
  [/^xstate\.after\.UNTIL_EXPIRED\./, "notice.expired"],
];

export const noticeBehavior: Behavior<NoticeRow> = {
  kind: "gdpr_notice",
  noun: "notice",
  purposes: {
    open: "create",
    fall_due: "publish",
    deliver: "confirm",
    bounce: "report",
    waive: "waive",
  } satisfies Record<NoticeCommand["type"], string>,
  describeState: ({ value }) => STATE_WORDS[deliveryOf(value)],
  role: "PRIVACY_OFFICER",
  creation: {
    type: "open",
    by: SYSTEM,
    input: opening,
    async begin({ ref, readTime }, input: z.output<typeof opening>) {
      const { requestId, customerId, kind, dueAt, waits, unreachable } = input;
      const start: NoticeInput = {
        noticeId: ref.id,
        requestId,
        kind,
        dueAt: dueAt.getTime(),
        createdAt: (await readTime()).getTime(),
        waits,
        ...(unreachable && { unreachable }),
      };
      const columns = { requestId, customerId, kind, dueAt, machine: NOTICE_MACHINE };
      return { machine: noticeMachine, input: start, columns, customerId };
    },
  },
  handlers,
  complete: ({ now }, event) => ({ ...event, at: now.getTime() }),
  publicEvent: ({ type }) => ({
    name: TIMERS.find(([pattern]) => pattern.test(type))?.[1] ?? type,
    about: null,
  }),
  customerOf: (_, row) => row?.customerId,
  lock: (tx, ref) => lockNotice(tx, ref.storeId, ref.id),
  restore(row) {
    const { value, context } = row.snapshot as { value: StateValue; context: NoticeContext };
    const snapshot = noticeMachine.resolveState(
      { value, context } as Parameters<
        typeof noticeMachine.resolveState
      >[0],
    );
    return { row, version: row.version, machine: noticeMachine, snapshot };
  },
  rows: {
    insert: (tx, { storeId, id: noticeId }, change) =>
      insertNotice(tx, { storeId, noticeId, ...columnsOf(change), createdAt: change.at }),
    update: (tx, { storeId, id: noticeId }, change) =>
      updateNotice(tx, { storeId, noticeId }, columnsOf(change)),
  },
  conflicts: { gdpr_notices_pkey: "it exists already" },
};

/** The row's columns. A settled notice has no recipient. */
function columnsOf({ columns, snapshot, version, at }: Change) {
  const { value, context } = snapshot as { value: StateValue; context: NoticeContext };
  const delivery = deliveryOf(value);
  const isSettled = delivery !== "WAITING" && delivery !== "DUE";
  return {
    ...columns,
    delivery,
    attempts: context.attempts,
    ...(isSettled && { settledAt: at, sealedRecipient: null, keyId: null }),
    snapshot: { value, context },
    version,
  };
}
