/** Performer of the effect `erasure.review`: has the open erasure of a customer take notice of a change of the customer. */
import { findOpenRequests } from "../../../db/gdpr_requests.ts";
import { readStore } from "../../../db/store_reader.ts";
import { ignoreRefused } from "../../../domain/errors.ts";
import { systemPrincipal } from "../../../domain/principal.ts";
import type { Performer } from "../../commands.ts";

/**
 * The request reads the customer under its lock, so the order of several reviews does not matter. An erasure that is
 * opened later reads the customer by itself.
 */
export const reviewErasure: Performer = async (
  { storeId, actorId: customerId, traceparent },
  { actors, sql },
) => {
  const open = await readStore(sql, storeId, (tx) => findOpenRequests(tx, storeId, customerId, ["ERASURE"]));
  for (const { requestId: id } of open) {
    const ref = { kind: "gdpr_request", storeId, id } as const;
    const context = { by: systemPrincipal(storeId), traceparent };
    await ignoreRefused(actors.send(ref, { type: "customer.changed" }, context)); // nothing has changed for the request
  }
  return "done";
};
