/** `/inspect`: the requests of a store. */
import type { Hono } from "@hono/hono";
import { readStore } from "../../db/connect.ts";
import { searchRequests } from "../../db/gdpr_search.ts";
import type { Pages } from "../mod.tsx";
import { Instant, Page } from "../page.tsx";
import type { InspectEnv } from "../session.ts";

const PAGE = 50;

export function addOverview(app: Hono<InspectEnv>, { sql }: Pages): void {
  app.get("/", async (c) => {
    const page = { order: "NEWEST", limit: PAGE } as const;
    const found = await readStore(
      sql,
      c.var.by.storeId,
      (sql) => searchRequests(sql, c.var.by.storeId, {}, page, new Date()),
    );
    return c.html(
      <Page c={c} title="GDPR requests">
        <div data-part="requests">
          <table>
            <thead>
              <tr>
                <th scope="col">Request</th>
                <th scope="col">Type</th>
                <th scope="col">Status</th>
                <th scope="col">Due</th>
              </tr>
            </thead>
            <tbody>
              {found.map(({ requestId, type, status, dueAt }) => (
                <tr>
                  <th scope="row">
                    <a href={`/inspect/requests/${requestId}`}>{requestId}</a>
                  </th>
                  <td>{type}</td>
                  <td>{status}</td>
                  <td>
                    <Instant at={dueAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Page>,
    );
  });
}
