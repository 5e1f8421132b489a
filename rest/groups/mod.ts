/** `/groups`: shopper groups of a store and their members. */
import { type Api, createApi } from "../api.ts";
import type { RestOptions } from "../options.ts";
import { addGroupListRoutes } from "./list.ts";
import { addGroupRoutes } from "./groups.ts";

export function createGroups(options: RestOptions): Api {
  const api = createApi();
  addGroupListRoutes(api, options);
  addGroupRoutes(api, options);
  return api;
}
