/** `/inspect/retry`: shows what a filter has that is stuck, and has all of it tried again. */
import type { Hono } from "@hono/hono";
import { DomainError } from "../../domain/errors.ts";
import { uuid } from "../../domain/input.ts";
import { newTraceparent, readTraceparent } from "../../lib/trace_context.ts";
import { lineOf } from "../forms.ts";
import { recordAccess } from "../accesses.ts";
import type { Pages } from "../options.ts";
import { filterOf, readQuery } from "../overview/query.ts";
import type { InspectEnv } from "../session.ts";
import { performRetries } from "./perform.ts";
import { planRetries, readRetries } from "./plan.ts";
import { Preview } from "./preview.tsx";
import { Report } from "./report.tsx";

export function addRetry(app: Hono<InspectEnv>, { actors, reader, audit }: Pages): void {
  app.get("/retry", async (c) => {
    const asked = readQuery(new URL(c.req.url).searchParams);
    const now = new Date();
    const plan = await planRetries(reader, c.var.by, filterOf(asked.wanted, now), now);
    const requests = new Set(plan.retries.map(({ requestId }) => requestId));
    await recordAccess(c, audit, {
      action: "GDPR_REQUESTS_LISTED",
      operation: "inspectRetries",
      rows: requests.size,
    });
    return c.html(<Preview c={c} asked={asked} plan={plan} />);
  });

  app.post("/retry", async (c) => {
    const { retries: written, key: given, reason: said } = await c.req.parseBody();
    const retries = readRetries(written);
    const { data: key } = uuid.safeParse(given);
    if (!key) throw new DomainError("INVALID_INPUT", "Cannot take the form: it is not of this page");
    const traceparent = readTraceparent(c.req.header("traceparent")) ?? newTraceparent();
    const reason = lineOf(said);
    const results = await performRetries(actors, retries, { by: c.var.by, traceparent, key, reason });
    const { wanted } = readQuery(new URL(c.req.url).searchParams);
    return c.html(<Report c={c} wanted={wanted} results={results} />);
  });
}
