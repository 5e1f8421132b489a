/** `/customers`: everything about customers. */
import type { Api } from "../api.ts";
import { createApi } from "../api.ts";
import type { RestOptions } from "../mod.ts";
import { addProfileRoutes } from "./profile.ts";

export function createCustomers(options: RestOptions): Api {
  const api = createApi();
  addProfileRoutes(api, options);
  return api;
}
