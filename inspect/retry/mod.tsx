/** `/inspect/retry`: bulk retry: previews the stuck requests of a filter and retries them. */
import type { Hono } from "@hono/hono";
import { uuid } from "../../domain/input.ts";
import { newTraceparent, readTraceparent } from "../../lib/trace_context.ts";
import { decideRequests, readRequests } from "../access.ts";
import { recordAccess } from "../accesses.ts";
import { foreignForm, singleLine } from "../forms.ts";
import type { Pages } from "../options.ts";
import { readQuery, toRequestFilter } from "../overview/query.ts";
import type { InspectEnv } from "../session.ts";
import { performRetries } from "./perform.ts";
import { parseRetries, planRetries } from "./plan.ts";
import { Preview } from "./preview.tsx";
import { Report } from "./report.tsx";

export function addRetry(app: Hono<InspectEnv>, { actors, reader, audit }: Pages): void {
  app.get("/retry", readRequests, async (c) => {
    const query = readQuery(new URL(c.req.url).searchParams);
    const now = new Date();
    const plan = await planRetries(reader, c.var.by, toRequestFilter(query.filters, now), now);
    const requests = new Set(plan.retries.map(({ requestId }) => requestId));
    await recordAccess(c, audit, {
      action: "GDPR_REQUESTS_LISTED",
      operation: "inspectRetries",
      rows: requests.size,
    });
    return c.html(<Preview c={c} query={query} plan={plan} />);
  });

  app.post("/retry", decideRequests, async (c) => {
    const { retries: plan, key: keyField, note: noteField } = await c.req.parseBody();
    const retries = parseRetries(plan);
    const { data: key } = uuid.safeParse(keyField);
    if (!key) throw foreignForm();
    const traceparent = readTraceparent(c.req.header("traceparent")) ?? newTraceparent();
    const note = singleLine(noteField);
    const results = await performRetries(actors, retries, { by: c.var.by, traceparent, key, note });
    const { filters } = readQuery(new URL(c.req.url).searchParams);
    return c.html(<Report c={c} filters={filters} results={results} />);
  });
}
