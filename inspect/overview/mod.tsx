/** `/inspect`: overview of a store's requests, the most urgent first. */
import type { Hono } from "@hono/hono";
import { recordAccess } from "../accesses.ts";
import type { Pages } from "../options.ts";
import { Page } from "../page.tsx";
import { type InspectContext, type InspectEnv, inStore } from "../session.ts";
import { formatCount } from "../durations.ts";
import { Filters } from "./filters.tsx";
import { type OverviewQuery, readQuery, toSearch } from "./query.ts";
import { createFingerprints, readOverview } from "./read.ts";
import { Requests } from "./table.tsx";
import { AttentionTiles, CountsTable, WaitingServices } from "./tiles.tsx";

export function addOverview(app: Hono<InspectEnv>, { reader, audit, live, restored }: Pages): void {
  const fingerprint = createFingerprints(reader);

  app.get("/", async (c) => {
    const query = readQuery(new URL(c.req.url).searchParams);
    const { storeId } = c.var.by;
    const now = new Date();
    const reading = await readOverview(reader, storeId, query, now);
    await recordAccess(c, audit, {
      action: "GDPR_REQUESTS_LISTED",
      operation: "inspectRequests",
      customerIds: reading.requests.map(({ customerId }) => customerId),
      rows: reading.requests.length,
    });
    return c.html(<Overview c={c} query={query} now={now} isRestored={restored?.() === true} {...reading} />);
  });

  app.get("/live", (c) => {
    const query = readQuery(new URL(c.req.url).searchParams);
    return live.follow(c, () => fingerprint(c.var.by.storeId, query, new Date()));
  });
}

type Props =
  & { c: InspectContext; query: OverviewQuery; now: Date; isRestored: boolean }
  & Awaited<ReturnType<typeof readOverview>>;

function Overview({ c, query, now, isRestored, fingerprint, counts, requests, next }: Props) {
  const { filters, sort, after, notices } = query;
  const live = { path: inStore(c, `/inspect/live${toSearch(filters, sort, after)}`), fingerprint };
  return (
    <Page c={c} title="GDPR requests" live={live}>
      {isRestored && (
        <div class="overview-notice" role="alert">
          <p>
            The database was restored from a backup and may contain persons who have been erased. An operator
            has to erase them again (deno task erasure replay).
          </p>
        </div>
      )}
      {notices.length > 0 && (
        <div class="overview-notice" role="status">{notices.map((notice) => <p>{notice}</p>)}</div>
      )}
      <div data-part="counts">
        <AttentionTiles c={c} counts={counts} filters={filters} />
        <CountsTable c={c} counts={counts} filters={filters} />
        <WaitingServices c={c} counts={counts} filters={filters} />
      </div>
      <h2 id="list">
        {Object.keys(filters).length > 0 ? "Requests that match the filters" : "All requests"}
      </h2>
      <Filters c={c} query={query} services={counts.waiting.map(({ service }) => service)} />
      <p>
        <a href={inStore(c, "/inspect/open")}>Open a request of a person without an account</a>
      </p>
      <div data-part="requests">
        {counts.stuck > 0 && requests.some(({ status }) => status !== "COMPLETED") && (
          <p>
            <a class="button" href={inStore(c, `/inspect/retry${toSearch(filters, "due")}`)}>
              Retry stuck requests…
            </a>
          </p>
        )}
        {requests.length === 0 ? <Nothing query={query} all={counts.kinds.length} /> : (
          <Requests
            c={c}
            caption={captionOf(query, requests.length)}
            requests={requests}
            now={now}
            order={query}
          />
        )}
        <nav class="pages" aria-label="Pages">
          {after && <a href={inStore(c, `/inspect${toSearch(filters, sort)}`)}>First page</a>}
          {next && <a rel="next" href={inStore(c, `/inspect${toSearch(filters, sort, next)}`)}>Next page</a>}
        </nav>
      </div>
    </Page>
  );
}

const ORDERS = {
  due: "open requests first, the most urgent on top",
  newest: "newest first",
  oldest: "oldest first",
};

function captionOf({ sort, after }: OverviewQuery, count: number): string {
  return `${formatCount(count, after ? "further request" : "request")} on this page, ${ORDERS[sort]}`;
}

/** @param all 0: the store has no requests */
function Nothing({ query: { after }, all }: { query: OverviewQuery; all: number }) {
  if (after) {
    return <p class="empty">There are no further requests. The requests on this page may have moved.</p>;
  }
  if (all === 0) {
    return (
      <p class="empty">
        This store has no requests yet. A request appears here when a customer opens it in the storefront or
        staff open it through the API.
      </p>
    );
  }
  return <p class="empty">No request matches these filters.</p>;
}
