/** Reads a notice as it has to be delivered. */
import { findNotice } from "../../../db/gdpr_notices.ts";
import { findParticipants, findRequest } from "../../../db/gdpr_requests.ts";
import { settingsOf } from "../../../db/store_settings.ts";
import type { StoreReader } from "../../../db/store_reader.ts";
import { DomainError } from "../../../domain/errors.ts";
import type { NoticeDelivery, NoticeKind } from "../../../domain/notices.ts";
import type { SealingKey } from "../../../lib/sealing.ts";
import { type ComposedNotice, composeNotice } from "./compose.ts";
import { findSubjectRecipient } from "../requests/subject.ts";
import { openRecipient } from "./recipient.ts";

export interface NoticeKey {
  storeId: string;
  noticeId: string;
}

export interface DueNotice extends ComposedNotice {
  noticeId: string;
  requestId: string;
  customerId: string;
  kind: NoticeKind;
  email: string;
}

/** @throws {DomainError} NOT_FOUND. REFUSED_IN_STATE: the notice is settled or not due yet, or has no recipient */
export type ReadNotice = (key: NoticeKey) => Promise<DueNotice>;

/** States in which a notice can be sent. The address of an undeliverable one may have been corrected. */
const DELIVERABLE: readonly NoticeDelivery[] = ["DUE", "UNDELIVERABLE"];

/** @param keys seal recipients: the current one, followed by earlier ones */
export const createNoticeReader =
  (reader: StoreReader, keys: readonly SealingKey[]): ReadNotice => ({ storeId, noticeId }) =>
    reader.read(storeId, async (sql) => {
      const notice = await findNotice(sql, storeId, noticeId);
      if (!notice) throw new DomainError("NOT_FOUND", `Cannot find notice ${noticeId}`);
      const refused = (why: string) =>
        new DomainError("REFUSED_IN_STATE", `Cannot read notice ${noticeId}: ${why}`);
      if (!DELIVERABLE.includes(notice.delivery)) {
        throw refused(`it is not due: its state is ${notice.delivery}`);
      }
      const { requestId, customerId, kind } = notice;
      const [request, participants, settings, present] = await Promise.all([
        findRequest(sql, storeId, requestId),
        findParticipants(sql, storeId, requestId),
        settingsOf(sql, storeId),
        findSubjectRecipient(sql, keys, { storeId, customerId }),
      ]);
      const recipient = await openRecipient(keys, notice) ?? present;
      if (!request || !recipient) throw refused("it has no recipient");
      const { email, locale } = recipient;
      const composed = composeNotice({ kind, request, participants, settings, locale });
      return { ...composed, noticeId, requestId, customerId, kind, email };
    });
