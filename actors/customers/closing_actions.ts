/** Implementations of the customer machine's actions about the retention period. They run in the transaction of the event. */
import { storeClosing } from "../../db/retention.ts";
import type { Actions } from "../runtime/behavior.ts";
import type { closingActions } from "./customer_machine.ts";

export const closingActionHandlers: Actions<unknown, typeof closingActions> = {
  async startRetention({ tx, event: { ref, at } }) {
    await storeClosing(tx, { storeId: ref.storeId, customerId: ref.id }, at);
  },
  async endRetention({ tx, event: { ref } }) {
    await storeClosing(tx, { storeId: ref.storeId, customerId: ref.id }, null);
  },
};
