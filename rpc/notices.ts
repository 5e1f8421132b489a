/** GetNotice and ConfirmNotice: communication-service delivers notices to customers about GDPR requests. */
import { create } from "@bufbuild/protobuf";
import { z } from "zod";
import type { Actors } from "../actors/commands.ts";
import type { NoticeKey, ReadNotice } from "../actors/gdpr/notices/read.ts";
import { parseInput, uuid } from "../domain/input.ts";
import type { NoticeKind } from "../domain/notices.ts";
import { systemPrincipal } from "../domain/principal.ts";
import { newTraceparent } from "../lib/trace_context.ts";
import {
  ConfirmNoticeResponseSchema,
  GetNoticeResponseSchema,
  NoticeKind as Kind,
  NoticeResult,
} from "../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import { type CallContext, type CustomerMethods, requireStore } from "./contract.ts";

/** With the names of the contract, which the error message repeats. */
const KEY = z.object({ notice_id: uuid, store_id: uuid });

const RESULT = z.object({
  result: z.int().refine((result) => result in NoticeResult, "must be DELIVERED or UNDELIVERABLE"),
});

const KINDS: Record<NoticeKind, Kind> = {
  RECEIVED: Kind.RECEIVED,
  IDENTITY_NEEDED: Kind.IDENTITY_NEEDED,
  EXTENDED: Kind.EXTENDED,
  REFUSED: Kind.REFUSED,
  CANCELLED: Kind.CANCELLED,
  READY: Kind.READY,
  ERASED: Kind.ERASED,
  RECTIFIED: Kind.RECTIFIED,
};

export function createNoticeMethods(
  actors: Actors,
  readNotice: ReadNotice,
): Pick<CustomerMethods, "getNotice" | "confirmNotice"> {
  return {
    async getNotice(request, context) {
      const { kind, ...notice } = await readNotice(keyOf(request, context, "read the notice"));
      return create(GetNoticeResponseSchema, { ...notice, kind: KINDS[kind] });
    },

    async confirmNotice(request, context) {
      const { storeId, noticeId } = keyOf(request, context, "confirm the notice");
      const { result } = parseInput(RESULT, { result: request.result }, "confirm the notice");
      const { changed } = await actors.send(
        { kind: "gdpr_notice", storeId, id: noticeId },
        { type: result === NoticeResult.UNDELIVERABLE ? "bounce" : "deliver" },
        {
          by: { ...systemPrincipal(storeId), service: context.caller.service },
          traceparent: context.traceparent ?? newTraceparent(),
          wanted: context.wanted,
        },
      );
      return create(ConfirmNoticeResponseSchema, { accepted: true, alreadyConfirmed: !changed });
    },
  };
}

function keyOf({ noticeId, storeId }: NoticeKey, context: CallContext, purpose: string): NoticeKey {
  const key = parseInput(KEY, { notice_id: noticeId, store_id: storeId }, purpose);
  requireStore(context, key.store_id);
  return { storeId: key.store_id, noticeId: key.notice_id };
}
