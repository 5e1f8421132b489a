/** Cancellation of GDPR requests by their subject. */

/** Whether the request can be canceled: an erasure until it begins, an access or portability request until it completes. */
export function isCancellable(
  { type, status }: {
    type: "ACCESS" | "ERASURE" | "RECTIFICATION" | "PORTABILITY";
    status: "PENDING" | "IN_PROGRESS" | "COMPLETED";
  },
): boolean {
  if (type === "RECTIFICATION" || status === "COMPLETED") return false;
  return type !== "ERASURE" || status === "PENDING";
}
