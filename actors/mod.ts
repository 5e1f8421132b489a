/** The actors of the service, ready to be sent commands. */
import type { Sql } from "../db/connect.ts";
import { createCustomerBehaviour } from "./customer_behaviour.ts";
import { createRequestBehaviour, type RequestSettings } from "./gdpr/request_behaviour.ts";
import { createRuntime, type Runtime, type RuntimeOptions } from "./runtime.ts";
import { shopperGroupBehaviour } from "./shopper_group_behaviour.ts";

export interface ActorsOptions extends Omit<RuntimeOptions, "behaviours"> {
  requests: RequestSettings;
}

/** Every kind of actor that there is. */
export function createBehaviours(requests: RequestSettings) {
  return {
    customer: createCustomerBehaviour(requests),
    shopper_group: shopperGroupBehaviour,
    gdpr_request: createRequestBehaviour(requests),
  };
}

/** @param sql a pool of the role customer_api */
export function createActors(sql: Sql, { requests, ...options }: ActorsOptions): Runtime {
  return createRuntime(sql, { ...options, behaviours: createBehaviours(requests) });
}
