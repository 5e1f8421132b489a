/** State machine of a rectification: the transaction that opens the request applies the correction and completes it. */
import { newContext } from "./events.ts";
import { audit, fulfillActions, notify, requestSetup } from "./setup.ts";

export function createRectificationMachine() {
  return requestSetup.createMachine({
    id: "gdpr_rectification@1",
    context: ({ input }) => newContext(input),
    entry: [audit("GDPR_REQUEST_OPENED")],
    initial: "PENDING",
    states: {
      PENDING: { always: "IN_PROGRESS" },
      IN_PROGRESS: { always: { target: "COMPLETED", actions: [...fulfillActions, notify("RECTIFIED")] } },
      COMPLETED: { type: "final" },
    },
  });
}
