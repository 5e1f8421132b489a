/** The actors of the service, ready to be sent commands. */
import type { Sql } from "../db/connect.ts";
import { createCustomerBehavior } from "./customers/customer_behavior.ts";
import { noticeBehavior } from "./gdpr/notices/notice_behavior.ts";
import { createRequestBehavior, type RequestSettings } from "./gdpr/requests/behavior.ts";
import { createRuntime, type Runtime, type RuntimeOptions } from "./runtime/mod.ts";
import { shopperGroupBehavior } from "./customers/shopper_group_behavior.ts";
import { createSettingsBehavior } from "./stores/settings_behavior.ts";
import { toMessages } from "./messages.ts";
import type { Commands } from "./commands.ts";

export interface ActorsOptions extends Omit<RuntimeOptions, "behaviors" | "toMessages" | "hashKey"> {
  requests: RequestSettings;
}

/** Every kind of actor that there is. */
export function createBehaviors(requests: RequestSettings) {
  return {
    customer: createCustomerBehavior(requests),
    shopper_group: shopperGroupBehavior,
    gdpr_request: createRequestBehavior(requests),
    gdpr_notice: noticeBehavior,
    store_settings: createSettingsBehavior(requests.participants),
  };
}

/** @param sql a pool of the role customer_api */
export function createActors(sql: Sql, { requests, ...options }: ActorsOptions): Runtime<Commands> {
  const { hashKey } = requests;
  return createRuntime<Commands>(sql, {
    ...options,
    hashKey,
    behaviors: createBehaviors(requests),
    toMessages,
  });
}
