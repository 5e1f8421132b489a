/** Cancellation of GDPR requests by their subject. */
import type { GdprRequestRow } from "../db/gdpr_requests.ts";

/** Whether the request can be canceled: an erasure until it begins, an access or portability request until it completes. */
export function isCancellable({ type, status }: Pick<GdprRequestRow, "type" | "status">): boolean {
  if (type === "RECTIFICATION" || status === "COMPLETED") return false;
  return type !== "ERASURE" || status === "PENDING";
}
