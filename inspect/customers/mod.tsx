/** `/inspect/customers`: the customers of a store. A search by text is a POST, whose answer is the page. */
import type { Hono } from "@hono/hono";
import { text } from "../../domain/input.ts";
import { allow } from "../access.ts";
import { recordAccess } from "../accesses.ts";
import type { Pages } from "../options.ts";
import { MAX_SEARCH } from "../page.tsx";
import { type InspectContext, type InspectEnv, inStore } from "../session.ts";
import { CustomersPage, type CustomersView } from "./page.tsx";
import { parseCustomersQuery, toCustomersSearch } from "./query.ts";
import { findByText, fingerprintOf, listCustomers, readGroupChoices } from "./read.ts";

const PATH = "/customers";
const Text = text(MAX_SEARCH);
const searchCustomers = allow("search customers", "SEARCH_CUSTOMERS");

export function addCustomerList(app: Hono<InspectEnv>, pages: Pages): void {
  const { reader, live } = pages;

  app.get(PATH, searchCustomers, async (c) => {
    const query = parseCustomersQuery(c.req.query());
    const list = await listCustomers(reader, c.var.by.storeId, query);
    return c.html(await render(c, pages, { query, list }));
  });

  app.post(PATH, searchCustomers, async (c) => {
    const form = await c.req.parseBody();
    const query = parseCustomersQuery(form);
    const given = String(form.text ?? "");
    if (given.trim() === "") return c.redirect(inStore(c, `/inspect${PATH}${toCustomersSearch(query)}`), 303);
    const { data, error } = Text.safeParse(given);
    if (data === undefined) {
      const problem = `Cannot search: the text ${error!.issues[0]!.message}.`;
      const list = { customers: [], next: undefined };
      return c.html(await render(c, pages, { query, list, text: given, problem }), 400);
    }
    const match = typeof form.match === "string" ? form.match : undefined;
    const list = await findByText(reader, c.var.by.storeId, query, { text: data, match });
    return c.html(await render(c, pages, { query, list, text: data }));
  });

  app.get(`${PATH}/live`, searchCustomers, (c) => {
    const query = parseCustomersQuery(c.req.query());
    const { storeId } = c.var.by;
    return live.follow(c, async () => fingerprintOf(await listCustomers(reader, storeId, query)));
  });
}

/** Records the access and renders the page. */
async function render(c: InspectContext, { reader, audit }: Pages, view: CustomersView) {
  const { customers } = view.list;
  await recordAccess(c, audit, {
    action: "CUSTOMERS_LISTED",
    operation: view.text === undefined ? "inspectCustomers" : "inspectCustomersByText",
    customerIds: customers.map(({ customerId }) => customerId),
    rows: customers.length,
  });
  const groups = await readGroupChoices(reader, c.var.by.storeId);
  return <CustomersPage c={c} view={view} groups={groups} />;
}
