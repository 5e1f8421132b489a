/**
 * Correction of kafkajs' request queue. After every response it schedules a check of the queue, also of an empty one,
 * after a negative time (https://github.com/tulios/kafkajs/issues/1751): Node and Deno warn on stderr, and the check
 * runs again every millisecond.
 */
import RequestQueue from "kafkajs/src/network/requestQueue/index.js";

interface Queue {
  pending: unknown[];
  scheduleCheckPendingRequests(): void;
}

const prototype = (RequestQueue as unknown as { prototype: Queue }).prototype;
let isCorrected = false;

/** Makes every queue schedule a check only if a request waits. Further calls do nothing. */
export function correctRequestQueue(): void {
  if (isCorrected) return;
  isCorrected = true;
  const { scheduleCheckPendingRequests } = prototype;
  prototype.scheduleCheckPendingRequests = function (this: Queue) {
    if (this.pending.length > 0) scheduleCheckPendingRequests.call(this);
  };
}
