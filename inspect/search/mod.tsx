/** `/inspect/search`: finds persons and requests by the text in the search box. The answer of the POST is the page. */
import type { Hono } from "@hono/hono";
import { mayReadValues } from "../../domain/authorization.ts";
import { text } from "../../domain/input.ts";
import { hasStaffRight } from "../../domain/staff_rights.ts";
import { readCustomers } from "../access.ts";
import { recordAccess } from "../accesses.ts";
import type { Pages } from "../options.ts";
import { MAX_SEARCH } from "../page.tsx";
import type { InspectContext, InspectEnv } from "../session.ts";
import { find } from "./find.ts";
import { interpret } from "./interpret.ts";
import { SearchPage } from "./page.tsx";

const PATH = "/search";
const Text = text(MAX_SEARCH);

export function addSearch(app: Hono<InspectEnv>, pages: Pages): void {
  app.get(
    PATH,
    readCustomers,
    (c) => c.html(<SearchPage c={c} text="" problem={undefined} results={undefined} />),
  );
  app.post(PATH, readCustomers, async (c) => await search(c, pages));
}

async function search(c: InspectContext, { reader, hashEmail, audit }: Pages): Promise<Response> {
  const given = String((await c.req.parseBody()).text ?? "");
  const { data, error } = Text.safeParse(given);
  if (data === undefined) {
    const problem = `Cannot search: the text ${error!.issues[0]!.message}.`;
    return c.html(<SearchPage c={c} text={given} problem={problem} results={undefined} />, 400);
  }
  const { by } = c.var;
  const hasValues = mayReadValues(by);
  const now = new Date();
  const mayReadRequests = hasStaffRight("READ_GDPR_REQUESTS", by);
  const interpretation = interpret(data, hasValues);
  const findings = await find({ reader, hashEmail }, {
    storeId: by.storeId,
    interpretation,
    mayUsePrefixes: hasValues,
    mayReadRequests,
    now,
  });
  const { persons, requests } = findings;
  await recordAccess(c, audit, {
    action: "CUSTOMERS_LISTED",
    operation: hasValues ? "inspectSearch" : "inspectSearchWithoutValues",
    customerIds: persons.map(({ customerId }) => customerId),
    rows: persons.length + requests.length,
  });
  const results = { ...findings, interpretation, hasValues, mayReadRequests, now };
  return c.html(<SearchPage c={c} text={data} problem={undefined} results={results} />);
}
