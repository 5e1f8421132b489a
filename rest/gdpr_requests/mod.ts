/** `/gdpr-requests`: GDPR requests, for the staff who handle them. */
import { type Api, createApi } from "../api.ts";
import type { RestOptions } from "../options.ts";
import { addActionRoutes } from "./actions.ts";
import { addDocumentRoutes } from "./documents.ts";
import { addListRoute } from "./list.ts";
import { addRequestRoutes } from "./requests.ts";
import { addTimelineRoute } from "./timeline.ts";

export function createGdprRequests(options: RestOptions): Api {
  const api = createApi();
  addRequestRoutes(api, options);
  addListRoute(api, options);
  addTimelineRoute(api, options);
  addActionRoutes(api, options);
  addDocumentRoutes(api, options);
  return api;
}
