/** `/inspect/customers/{customerId}`: page of one customer with the GDPR requests about it. */
import type { Hono } from "@hono/hono";
import { z } from "zod";
import { customerMachine } from "../../actors/customers/customer_machine.ts";
import { DomainError } from "../../domain/errors.ts";
import { parseInput, uuid } from "../../domain/input.ts";
import { findCustomerFingerprint } from "../../db/customer_facts.ts";
import { recordAccess } from "../accesses.ts";
import type { Pages } from "../options.ts";
import type { InspectContext, InspectEnv } from "../session.ts";
import { type RefusedOpening, submitOpening } from "./opening_form.tsx";
import { CustomerPage } from "./page.tsx";
import { readCustomer } from "./read.ts";

const PATH = "/customers/:customerId";
const sequence = z.coerce.number().int().positive().max(2 ** 31 - 1).optional();
const Query = z.object({ at: sequence, upto: sequence });

export function addCustomers(
  app: Hono<InspectEnv>,
  { actors, reader, lookups, audit, charts, live }: Pages,
): void {
  async function show(c: InspectContext, refused?: RefusedOpening) {
    const { at, upto: upTo } = parseInput(Query, c.req.query(), "show the customer");
    const view = { customerId: idOf(c), at, upTo };
    const now = new Date();
    const reading = await readCustomer({ reader, lookups }, c.var.by, view, now);
    if (!reading) throw notFound(view.customerId, at);
    await recordAccess(c, audit, {
      action: "CUSTOMER_READ",
      operation: reading.values ? "inspectCustomer" : "inspectCustomerWithoutValues",
      target: { type: "customer", id: view.customerId },
      customerId: view.customerId,
      rows: 1,
    });
    const { id: name } = customerMachine;
    const chart = await charts.render({ machine: customerMachine, name, journal: reading.summary });
    return <CustomerPage {...{ c, view, reading, chart, now, refused }} />;
  }

  app.get(PATH, async (c) => c.html(await show(c)));

  app.post(`${PATH}/requests`, async (c) => {
    const opened = await submitOpening(c, actors, idOf(c));
    if ("path" in opened) return c.redirect(opened.path, 303);
    return c.html(await show(c, opened.refused), opened.status);
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

function idOf(c: InspectContext): string {
  const { success, data } = uuid.safeParse(c.req.param("customerId"));
  if (!success) throw new DomainError("NOT_FOUND", "Cannot find the customer: the ID is not a UUID");
  return data;
}

function notFound(customerId: string, at?: number): DomainError {
  const what = at === undefined ? `customer ${customerId}` : `event ${at} of customer ${customerId}`;
  return new DomainError("NOT_FOUND", `Cannot find ${what}`);
}
