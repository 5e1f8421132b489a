/** `/inspect`: the requests of a store, what is urgent first. */
import type { Hono } from "@hono/hono";
import { recordAccess } from "../accesses.ts";
import type { Pages } from "../options.ts";
import { Page } from "../page.tsx";
import { type InspectContext, type InspectEnv, inStore } from "../session.ts";
import { counted } from "../spans.ts";
import { Filters } from "./filters.tsx";
import { type Asked, readQuery, searchOf } from "./query.ts";
import { createFingerprints, readOverview } from "./read.ts";
import { Requests } from "./table.tsx";
import { Kinds, Needs, Waiting } from "./tiles.tsx";

export function addOverview(app: Hono<InspectEnv>, { reader, audit, live }: Pages): void {
  const fingerprint = createFingerprints(reader);

  app.get("/", async (c) => {
    const asked = readQuery(new URL(c.req.url).searchParams);
    const { storeId } = c.var.by;
    const now = new Date();
    const reading = await readOverview(reader, storeId, asked, now);
    await recordAccess(c, audit, {
      action: "GDPR_REQUESTS_LISTED",
      operation: "inspectRequests",
      customerIds: reading.requests.map(({ customerId }) => customerId),
      rows: reading.requests.length,
    });
    return c.html(<Overview c={c} asked={asked} now={now} {...reading} />);
  });

  app.get("/live", (c) => {
    const asked = readQuery(new URL(c.req.url).searchParams);
    return live.follow(c, () => fingerprint(c.var.by.storeId, asked, new Date()));
  });
}

type Props = { c: InspectContext; asked: Asked; now: Date } & Awaited<ReturnType<typeof readOverview>>;

function Overview({ c, asked, now, fingerprint, counts, requests, next }: Props) {
  const { wanted, sort, after, notices } = asked;
  const live = { path: inStore(c, `/inspect/live${searchOf(wanted, sort, after)}`), fingerprint };
  return (
    <Page c={c} title="GDPR requests" live={live}>
      {notices.length > 0 && (
        <div class="overview-notice" role="status">{notices.map((notice) => <p>{notice}</p>)}</div>
      )}
      <div data-part="counts">
        <Needs c={c} counts={counts} wanted={wanted} />
        <Kinds c={c} counts={counts} wanted={wanted} />
        <Waiting c={c} counts={counts} wanted={wanted} />
      </div>
      <h2 id="list">{Object.keys(wanted).length > 0 ? "Requests that match the filters" : "All requests"}</h2>
      <Filters c={c} asked={asked} services={counts.waiting.map(({ service }) => service)} />
      <div data-part="requests">
        {counts.stuck > 0 && requests.some(({ status }) => status !== "COMPLETED") && (
          <p>
            <a class="button" href={inStore(c, `/inspect/retry${searchOf(wanted, "due")}`)}>
              Retry what is stuck…
            </a>
          </p>
        )}
        {requests.length === 0 ? <Nothing asked={asked} all={counts.kinds.length} /> : (
          <Requests
            c={c}
            caption={captionOf(asked, requests.length)}
            requests={requests}
            now={now}
            order={asked}
          />
        )}
        <nav class="pages" aria-label="Pages">
          {after && <a href={inStore(c, `/inspect${searchOf(wanted, sort)}`)}>First page</a>}
          {next && <a rel="next" href={inStore(c, `/inspect${searchOf(wanted, sort, next)}`)}>Next page</a>}
        </nav>
      </div>
    </Page>
  );
}

const ORDERS = {
  due: "open ones first, the most urgent on top",
  newest: "the newest on top",
  oldest: "the oldest on top",
};

function captionOf({ sort, after }: Asked, count: number): string {
  return `${counted(count, after ? "further request" : "request")} on this page, ${ORDERS[sort]}`;
}

/** @param all 0: the store has no request at all */
function Nothing({ asked: { after }, all }: { asked: Asked; all: number }) {
  if (after) return <p class="empty">There are no further requests. Those of this page may have moved.</p>;
  if (all === 0) {
    return (
      <p class="empty">
        This store has no requests yet. They appear here as soon as somebody opens one: a customer in the
        storefront, or staff over the API.
      </p>
    );
  }
  return <p class="empty">No request matches these filters.</p>;
}
