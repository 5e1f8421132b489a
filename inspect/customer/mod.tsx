/** `/inspect/customers/{customerId}`: page of one customer with the GDPR requests about it. */
import type { Hono } from "@hono/hono";
import { z } from "zod";
import { customerMachine } from "../../actors/customers/customer_machine.ts";
import { DomainError } from "../../domain/errors.ts";
import { parseInput, uuid } from "../../domain/input.ts";
import { findCustomerFingerprint } from "../../db/customer_facts.ts";
import { findHold } from "../../db/customer_holds.ts";
import { recordAccess } from "../accesses.ts";
import type { Pages } from "../options.ts";
import { type InspectContext, type InspectEnv, inStore } from "../session.ts";
import type { HoldAttempt } from "./holds.tsx";
import { type RefusedOpening, submitOpening } from "../opening/form.tsx";
import { CustomerPage } from "./page.tsx";
import { type CustomerView, readCustomer } from "./read.ts";
import { submitHold } from "./submit_hold.ts";

const PATH = "/customers/:customerId";
const sequence = z.coerce.number().int().positive().max(2 ** 31 - 1).optional();
const Query = z.object({
  at: sequence,
  upto: sequence,
  done: uuid.optional().catch(undefined),
});

export function addCustomers(app: Hono<InspectEnv>, pages: Pages): void {
  const { reader, live, actors } = pages;

  app.get(PATH, async (c) => {
    const { at, upto: upTo, done } = parseInput(Query, c.req.query(), "show the customer");
    const view = { customerId: idOf(c), at, upTo };
    const attempt = await findDone(c, pages, view.customerId, done);
    return c.html(await renderCustomer(c, pages, view, { attempt }));
  });

  app.post(`${PATH}/holds`, async (c) => {
    const customerId = idOf(c);
    const submitted = await submitHold(c, actors, customerId);
    if ("done" in submitted) {
      const query = new URLSearchParams({ done: submitted.done });
      return c.redirect(`${inStore(c, `/inspect/customers/${customerId}?${query}`)}#holds`, 303);
    }
    const view = { customerId, at: undefined, upTo: undefined };
    return c.html(await renderCustomer(c, pages, view, submitted), submitted.status);
  });

  app.post(`${PATH}/requests`, async (c) => {
    const customerId = idOf(c);
    const opened = await submitOpening(c, actors, customerId);
    if ("path" in opened) return c.redirect(opened.path, 303);
    const view = { customerId, at: undefined, upTo: undefined };
    return c.html(await renderCustomer(c, pages, view, opened), opened.status);
  });

  app.get(`${PATH}/live`, async (c) => {
    const customerId = idOf(c);
    const { storeId } = c.var.by;
    const fingerprint = () =>
      reader.read(storeId, (sql) => findCustomerFingerprint(sql, storeId, customerId));
    if (await fingerprint() === "") throw notFound(customerId);
    return live.follow(c, fingerprint);
  });
}

/** Records the access and renders the page. */
async function renderCustomer(
  c: InspectContext,
  pages: Pages,
  view: CustomerView,
  { attempt, refused }: { attempt?: HoldAttempt | undefined; refused?: RefusedOpening } = {},
) {
  const { reader, lookups, audit, charts } = pages;
  const now = new Date();
  const reading = await readCustomer({ reader, lookups }, c.var.by, view, now);
  if (!reading) throw notFound(view.customerId, view.at);
  await recordAccess(c, audit, {
    action: "CUSTOMER_READ",
    operation: reading.values ? "inspectCustomer" : "inspectCustomerWithoutValues",
    target: { type: "customer", id: view.customerId },
    customerId: view.customerId,
    rows: 1,
  });
  const { id: name } = customerMachine;
  const chart = await charts.render({ machine: customerMachine, name, journal: reading.summary });
  return <CustomerPage {...{ c, view, reading, chart, now, attempt, refused }} />;
}

/** Reads from the hold what the viewer has done, since an address proves nothing. */
async function findDone(
  { var: { by } }: InspectContext,
  { reader }: Pages,
  customerId: string,
  holdId: string | undefined,
): Promise<HoldAttempt | undefined> {
  if (holdId === undefined) return undefined;
  const { storeId } = by;
  const hold = await reader.read(storeId, (sql) => findHold(sql, { storeId, customerId }, holdId));
  if (hold?.liftedBy === by.id) return { done: true, message: "You lifted the hold." };
  if (hold?.placedBy === by.id) return { done: true, message: "You placed the hold." };
}

function idOf(c: InspectContext): string {
  const { success, data } = uuid.safeParse(c.req.param("customerId"));
  if (!success) throw new DomainError("NOT_FOUND", "Cannot find the customer: the ID is not a UUID");
  return data;
}

function notFound(customerId: string, at?: number): DomainError {
  const what = at === undefined ? `customer ${customerId}` : `event ${at} of customer ${customerId}`;
  return new DomainError("NOT_FOUND", `Cannot find ${what}`);
}
