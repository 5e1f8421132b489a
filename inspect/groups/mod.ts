/** Pages of the shopper groups. */
import type { Hono } from "@hono/hono";
import type { Pages } from "../options.ts";
import type { InspectEnv } from "../session.ts";
import { addGroupList } from "./list.tsx";
import { addGroupPage } from "./group.tsx";

export function addGroups(app: Hono<InspectEnv>, pages: Pages): void {
  addGroupList(app, pages); // before the routes that have a group's ID at this place of the path
  addGroupPage(app, pages);
}
