/** `/customers`: routes of customers, their addresses, memberships and accounts. */
import type { ConcurrencyQuota } from "../../http/concurrency_quota.ts";
import type { Api } from "../api.ts";
import { createApi } from "../api.ts";
import type { RestOptions } from "../options.ts";
import { addAccountRoutes } from "./account.ts";
import { addAddressRoutes } from "./addresses.ts";
import { addBulkRoutes } from "./bulk.ts";
import { addExportRoutes } from "./export.ts";
import { addHoldRoutes } from "./holds.ts";
import { addMembershipRoutes } from "./memberships.ts";
import { addPriceListRoutes } from "./price_list.ts";
import { addProfileRoutes } from "./profile.ts";
import { addRetentionRoute } from "./retention.ts";
import { addSearchRoutes } from "./search.ts";

export function createCustomers(options: RestOptions & { streams: ConcurrencyQuota }): Api {
  const api = createApi();
  // Before the routes that have a customer ID at this place of the path.
  addSearchRoutes(api, options);
  addExportRoutes(api, options);
  addBulkRoutes(api, options);
  addProfileRoutes(api, options);
  addAccountRoutes(api, options);
  addAddressRoutes(api, options);
  addHoldRoutes(api, options);
  addRetentionRoute(api, options);
  addMembershipRoutes(api, options);
  addPriceListRoutes(api, options);
  return api;
}
