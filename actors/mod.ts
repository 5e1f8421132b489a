/** The actors of the service, ready to be sent commands. */
import type { Sql } from "../db/connect.ts";
import { customerBehaviour } from "./customer_behaviour.ts";
import { createRuntime, type Runtime, type RuntimeOptions } from "./runtime.ts";
import { shopperGroupBehaviour } from "./shopper_group_behaviour.ts";

export const BEHAVIOURS = { customer: customerBehaviour, shopper_group: shopperGroupBehaviour };

/** @param sql a pool of the role customer_api */
export function createActors(sql: Sql, options: Omit<RuntimeOptions, "behaviours"> = {}): Runtime {
  return createRuntime(sql, { ...options, behaviours: BEHAVIOURS });
}
