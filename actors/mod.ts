/** The actors of the service, ready to be sent commands. */
import type { Sql } from "../db/connect.ts";
import { customerBehaviour } from "./customer_behaviour.ts";
import { createRequestBehaviour, type RequestSettings } from "./gdpr/request_behaviour.ts";
import { createRuntime, type Runtime, type RuntimeOptions } from "./runtime.ts";
import { shopperGroupBehaviour } from "./shopper_group_behaviour.ts";

export interface ActorsOptions extends Omit<RuntimeOptions, "behaviours"> {
  requests: RequestSettings;
}

/** @param sql a pool of the role customer_api */
export function createActors(sql: Sql, { requests, ...options }: ActorsOptions): Runtime {
  const behaviours = {
    customer: customerBehaviour,
    shopper_group: shopperGroupBehaviour,
    gdpr_request: createRequestBehaviour(requests),
  };
  return createRuntime(sql, { ...options, behaviours });
}
