/** Delivery of notices by the demo communication-service: it fetches each one and logs it instead of sending an email. */
import { getLogger } from "@logtape/logtape";
import { Channel, pathOf, readMessage, writeMessage } from "../../grpc/mod.ts";
import {
  ConfirmNoticeRequestSchema,
  ConfirmNoticeResponseSchema,
  CustomerService,
  GetNoticeRequestSchema,
  GetNoticeResponseSchema,
  NoticeKind,
  NoticeResult,
} from "../../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import type { GdprNoticeDue } from "../../proto/gen/io/shopstar/customer/v1/events_pb.ts";
import type { ConfirmOptions } from "./confirm.ts";

export const MAILER = "communication-service";
export const NOTICE_TOPIC = "gdpr.notice_due";

const [GET, CONFIRM] = [
  pathOf(CustomerService.method.getNotice),
  pathOf(CustomerService.method.confirmNotice),
];
/** Top-level domain that never exists (RFC 2606), so its addresses refuse every email. */
const REFUSED = ".invalid";
const DEADLINE_MS = 5_000;

export interface Mailer extends Disposable {
  /**
   * Delivers a notice. A failure is not retried: customer-service publishes the notice again.
   *
   * @throws {GrpcError} the notice is not due any more, or customer-service is unavailable
   */
  deliver(
    event: Pick<GdprNoticeDue, "noticeId" | "storeId">,
    traceparent: string | undefined,
    signal: AbortSignal,
  ): Promise<void>;
}

export function createMailer({ address, token }: ConfirmOptions): Mailer {
  const log = getLogger(["customer-service", "demo"]);
  const channel = new Channel(new URL(`http://${address}`));
  return {
    async deliver({ noticeId, storeId }, traceparent, signal) {
      const metadata = ["authorization", `Bearer ${await token(MAILER, storeId)}`];
      if (traceparent !== undefined) metadata.push("traceparent", traceparent);
      const options = { metadata, timeoutMs: DEADLINE_MS, signal };
      const asked = writeMessage(GetNoticeRequestSchema, { noticeId, storeId });
      const notice = readMessage(GetNoticeResponseSchema, await channel.unary(GET, asked, options));
      const result = notice.email.endsWith(REFUSED) ? NoticeResult.UNDELIVERABLE : NoticeResult.DELIVERED;
      const report = writeMessage(ConfirmNoticeRequestSchema, { noticeId, storeId, result });
      readMessage(ConfirmNoticeResponseSchema, await channel.unary(CONFIRM, report, options));
      log.info(
        "{service} reports notice {noticeId} ({kind}, {language}) of request {requestId} as {result}",
        {
          result: NoticeResult[result],
          service: MAILER,
          noticeId,
          kind: NoticeKind[notice.kind],
          language: notice.language,
          requestId: notice.requestId,
        },
      );
    },
    [Symbol.dispose]: () => channel[Symbol.dispose](),
  };
}
