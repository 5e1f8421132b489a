/** The course of a rectification: the correction is applied in the transaction that records the request. */
import { newContext } from "./events.ts";
import { audited, fulfilled, request } from "./setup.ts";

export function createRectificationMachine() {
  return request.createMachine({
    id: "gdpr_rectification@1",
    context: ({ input }) => newContext(input),
    entry: [audited("GDPR_REQUEST_OPENED")],
    initial: "PENDING",
    states: {
      PENDING: { always: "IN_PROGRESS" },
      IN_PROGRESS: { always: { target: "COMPLETED", actions: fulfilled } },
      COMPLETED: { type: "final" },
    },
  });
}
