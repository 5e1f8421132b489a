/** Notices to the customer about a request: their delivery, and the form that waives one. */
import { z } from "zod";
import type { NoticeOfRequest } from "../../db/gdpr_notices.ts";
import type { Actors } from "../../actors/commands.ts";
import { DomainError } from "../../domain/errors.ts";
import { parseInput, uuid } from "../../domain/input.ts";
import {
  type Informed,
  isNoticeLate,
  isNoticeOverdue,
  NOTICE_WAIVERS,
  type NoticeDelivery,
  type NoticeKind,
  type NoticeWaiver,
} from "../../domain/notices.ts";
import { traceparentOf } from "../../http/refusals.ts";
import { Instant } from "../page.tsx";
import type { InspectContext } from "../session.ts";
import type { RequestReading } from "./read.ts";
import type { HrefTo } from "./time_travel.tsx";

const KIND_LABELS: Record<NoticeKind, string> = {
  RECEIVED: "Request received",
  IDENTITY_NEEDED: "Identity needed",
  EXTENDED: "Due date extended",
  REFUSED: "Request refused",
  CANCELLED: "Request canceled",
  READY: "Documents ready",
  ERASED: "Data erased",
  RECTIFIED: "Data corrected",
};

const DELIVERY_LABELS: Record<NoticeDelivery, string> = {
  WAITING: "Waiting for the end of the erasure",
  DUE: "Due",
  DELIVERED: "Delivered",
  WAIVED: "Waived",
  EXPIRED: "Never delivered",
  UNDELIVERABLE: "Undeliverable",
};

/** States in which staff can waive a notice. */
const WAIVABLE: readonly NoticeDelivery[] = ["DUE", "EXPIRED", "UNDELIVERABLE"];

const WAIVER_LABELS: Record<NoticeWaiver, string> = {
  SENT_BY_LETTER: "sent by letter",
  GIVEN_BY_PHONE: "given by phone",
  GIVEN_IN_PERSON: "given in person",
  UNREACHABLE: "the customer cannot be reached",
  NOT_REQUIRED: "not required",
};

/** Whether the customer has been informed, in words. */
export const INFORMED_LABELS: Record<Informed, string> = {
  OVERDUE: "no: a notice is overdue",
  UNDELIVERABLE: "no: a notice could not be delivered",
  EXPIRED: "no: a notice was never delivered",
  PENDING: "not yet",
  WAIVED: "yes, or staff have waived it",
  DELIVERED: "yes",
};

export function Notices(
  { c, hrefTo, reading: { notices, status: { now } } }: {
    c: InspectContext;
    hrefTo: HrefTo;
    reading: RequestReading;
  },
) {
  return (
    <>
      <h2 id="notices">Notices to the customer</h2>
      {notices.length === 0 && <p class="empty">There are no notices about this request.</p>}
      {notices.length > 0 && (
        <div class="scroll" role="region" aria-labelledby="notices" tabindex={0}>
          <table class="stacked">
            <caption>What the customer has to know, and whether it was delivered</caption>
            <thead>
              <tr>
                {["Notice", "State", "Published", "Since", "Due", "Settled", "Decision"].map((name) => (
                  <th scope="col">{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {notices.map((notice) => <Row c={c} hrefTo={hrefTo} notice={notice} now={now} />)}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row(
  { c, hrefTo, notice, now }: { c: InspectContext; hrefTo: HrefTo; notice: NoticeOfRequest; now: Date },
) {
  const { kind, delivery, attempts, createdAt, dueAt, settledAt, waiver } = notice;
  const isLate = isNoticeLate(notice, now);
  const isSettled = delivery === "DELIVERED" || delivery === "WAIVED";
  const state = isNoticeOverdue(notice, now) ? "Overdue" : DELIVERY_LABELS[delivery];
  return (
    <tr>
      <th scope="row">{KIND_LABELS[kind]}</th>
      <td data-name="State">
        <span class={isSettled ? "badge good" : isLate ? "badge alarm" : "badge"}>{state}</span>
        {delivery === "WAIVED" && waiver && `: ${WAIVER_LABELS[waiver]}`}
      </td>
      <td data-name="Published">
        {attempts === 0 ? "never" : attempts === 1 ? "once" : `${attempts} times`}
      </td>
      <td data-name="Since">
        <Instant at={createdAt} />
      </td>
      <td data-name="Due">
        <Instant at={dueAt} />
      </td>
      <td data-name="Settled">{settledAt && <Instant at={settledAt} />}</td>
      <td data-name="Decision">
        {WAIVABLE.includes(delivery) && (
          <WaiveForm
            c={c}
            hrefTo={hrefTo}
            notice={notice}
          />
        )}
      </td>
    </tr>
  );
}

function WaiveForm(
  { c, hrefTo, notice: { noticeId, kind } }: { c: InspectContext; hrefTo: HrefTo; notice: NoticeOfRequest },
) {
  const { csrf } = c.var;
  return (
    <form method="post" action={hrefTo(`/notices/${noticeId}`)}>
      {csrf !== undefined && <input type="hidden" name="csrf" value={csrf} />}
      <select name="waiver" required aria-label={`Reason to waive the notice: ${KIND_LABELS[kind]}`}>
        <option value="">Choose a reason</option>
        {NOTICE_WAIVERS.map((waiver) => <option value={waiver}>{WAIVER_LABELS[waiver]}</option>)}
      </select>
      <button type="submit">Waive</button>
    </form>
  );
}

const Waiver = z.object({ waiver: z.enum(NOTICE_WAIVERS) });

/**
 * Waives the notice of a form.
 *
 * @throws {DomainError} INVALID_INPUT: no reason; NOT_FOUND; FORBIDDEN; REFUSED_IN_STATE: it is settled
 */
export async function waiveNotice(
  c: InspectContext,
  actors: Actors,
  notices: readonly NoticeOfRequest[],
): Promise<void> {
  const { by } = c.var;
  const id = parseInput(uuid, c.req.param("noticeId"), "waive the notice: its ID");
  const { waiver } = parseInput(Waiver, await c.req.parseBody(), "waive the notice");
  if (!notices.some(({ noticeId }) => noticeId === id)) {
    throw new DomainError("NOT_FOUND", `Cannot find notice ${id} of the request`);
  }
  const ref = { kind: "gdpr_notice", storeId: by.storeId, id } as const;
  await actors.send(ref, { type: "waive", waiver }, { by, traceparent: traceparentOf(c) });
}
