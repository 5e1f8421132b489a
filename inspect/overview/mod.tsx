/** `/inspect`: overview of a store's requests, the most urgent first. */
import type { Hono } from "@hono/hono";
import { MAX_COUNT } from "../../db/gdpr_counts.ts";
import { DomainError } from "../../domain/errors.ts";
import { hasStaffRight } from "../../domain/staff_rights.ts";
import { readRequests } from "../access.ts";
import { recordAccess } from "../accesses.ts";
import { startPath } from "../menu.tsx";
import type { Pages } from "../options.ts";
import { Page } from "../page.tsx";
import { type InspectContext, type InspectEnv, inStore } from "../session.ts";
import { capitalize } from "../labels.ts";
import { MAX_ROWS, writeCsv } from "./csv.ts";
import { describeFilters } from "./filter_labels.ts";
import { Filters } from "./filters.tsx";
import { type OverviewQuery, readQuery, toSearch } from "./query.ts";
import { createFingerprints, readOverview } from "./read.ts";
import { Requests } from "./table.tsx";
import { AttentionTiles, CountsTable, WaitingServices } from "./tiles.tsx";

export function addOverview(
  app: Hono<InspectEnv>,
  { reader, audit, live, restored, participantsWithoutUrl }: Pages,
): void {
  const fingerprint = createFingerprints(reader);

  app.get("/", async (c, next) => {
    if (hasStaffRight("READ_GDPR_REQUESTS", c.var.by)) return await next();
    return c.redirect(inStore(c, startPath(c.var.by) ?? "/inspect/search"));
  });

  app.get("/", readRequests, async (c) => {
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
    const isRestored = restored?.() === true;
    const withoutUrl = participantsWithoutUrl();
    return c.html(<Overview {...{ c, query, now, isRestored, withoutUrl, ...reading }} />);
  });

  app.get("/requests.csv", readRequests, async (c) => {
    const query = readQuery(new URL(c.req.url).searchParams);
    if (query.notices.length > 0) {
      const message = `Cannot export the requests: ${
        query.notices.join(" ")
      } The file would contain other requests`;
      throw new DomainError("INVALID_INPUT", message);
    }
    const now = new Date();
    const { text, rows } = await writeCsv(reader, c.var.by.storeId, query, now);
    await recordAccess(c, audit, {
      action: "GDPR_REQUESTS_LISTED",
      operation: "inspectRequestsCsv",
      customerId: query.filters.customer,
      rows,
    });
    c.header(
      "content-disposition",
      `attachment; filename="gdpr-requests-${now.toISOString().slice(0, 10)}.csv"`,
    );
    return c.body(text, 200, { "content-type": "text/csv; charset=utf-8; header=present" });
  });

  app.get("/live", readRequests, (c) => {
    const query = readQuery(new URL(c.req.url).searchParams);
    return live.follow(c, () => fingerprint(c.var.by.storeId, query, new Date()));
  });
}

type Props =
  & {
    c: InspectContext;
    query: OverviewQuery;
    now: Date;
    isRestored: boolean;
    /** Names of the participants without a URL. */
    withoutUrl: readonly string[];
  }
  & Awaited<ReturnType<typeof readOverview>>;

function Overview(props: Props) {
  const { c, query, now, isRestored, withoutUrl, fingerprint, counts, requests, next, total, waits } = props;
  const { filters, sort, after, notices } = query;
  const filterTexts = describeFilters(filters);
  const live = { path: inStore(c, `/inspect/live${toSearch(filters, sort, after)}`), fingerprint };
  return (
    <Page c={c} title="GDPR requests" live={live} list="#list">
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
        <WithoutUrl services={withoutUrl} />
        <AttentionTiles c={c} counts={counts} filters={filters} />
        <WaitingServices c={c} counts={counts} filters={filters} />
      </div>
      <div class="list-head">
        <h2>
          {filterTexts.length > 0 ? "Requests that match the filters" : "All requests"}
        </h2>
        <Filters c={c} query={query} services={counts.waiting.map(({ service }) => service)} />
        <div data-part="links">
          <nav class="list-links" aria-label="List">
            {counts.stuck > 0 && requests.some(({ status }) => status !== "COMPLETED") && (
              <a href={inStore(c, `/inspect/retry${toSearch(filters, "due")}`)}>Retry stuck requests…</a>
            )}
            <a href={inStore(c, "/inspect/open")}>Open a request of a person without an account</a>
            <a href={inStore(c, `/inspect/requests.csv${toSearch(filters, sort)}`)} download>
              {total > MAX_ROWS ? `CSV of the first ${MAX_ROWS.toLocaleString("en")}` : "CSV"}
            </a>
          </nav>
        </div>
      </div>
      {filterTexts.length > 0 && (
        <p class="chosen">
          {capitalize(filterTexts.join(", "))}.{" "}
          <a href={inStore(c, `/inspect${toSearch({}, sort)}`)}>Show all</a>
        </p>
      )}
      <div data-part="requests" id="list" tabindex={-1}>
        {requests.length === 0 ? <Nothing query={query} all={counts.kinds.length} /> : (
          <Requests
            c={c}
            caption={captionOf(query, requests.length, total)}
            requests={requests}
            waits={waits}
            now={now}
            order={query}
          />
        )}
        <nav class="pages" aria-label="Pages">
          {after && <a href={inStore(c, `/inspect${toSearch(filters, sort)}`)}>First page</a>}
          {next && <a rel="next" href={inStore(c, `/inspect${toSearch(filters, sort, next)}`)}>Next page</a>}
        </nav>
      </div>
      <div data-part="kinds">
        <CountsTable c={c} counts={counts} filters={filters} />
      </div>
    </Page>
  );
}

const ORDERS = {
  due: "open requests first, the most urgent on top",
  newest: "newest first",
  oldest: "oldest first",
};

/** "50 of 312 requests, open requests first, the most urgent on top" */
function captionOf({ sort, after }: OverviewQuery, count: number, total: number): string {
  const all = total > MAX_COUNT
    ? `more than ${MAX_COUNT.toLocaleString("en")} requests`
    : `${total.toLocaleString("en")} ${total === 1 ? "request" : "requests"}`;
  const shown = after ? `${count} further of ${all}` : count === total ? all : `${count} of ${all}`;
  return `${capitalize(shown)}, ${ORDERS[sort]}`;
}

function WithoutUrl({ services }: { services: readonly string[] }) {
  if (services.length === 0) return null;
  return (
    <div class="overview-notice" role="status">
      <p>
        {services.join(", ")} {services.length === 1 ? "has" : "have"}{" "}
        no URL in the configuration of this service, so access and portability requests cannot ask for its
        data. An operator has to set the URL.
      </p>
    </div>
  );
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
        staff enter one.
      </p>
    );
  }
  return <p class="empty">No request matches these filters.</p>;
}
