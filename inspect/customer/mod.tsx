/** `/inspect/customers/{customerId}`: page of one customer with the GDPR requests about it. */
import type { Hono } from "@hono/hono";
import { z } from "zod";
import { customerMachine } from "../../actors/customers/customer_machine.ts";
import { DomainError } from "../../domain/errors.ts";
import { parseInput, uuid } from "../../domain/input.ts";
import { findCustomerFingerprint } from "../../db/customer_facts.ts";
import { findHold } from "../../db/customer_holds.ts";
import { allow, openRequests, readCustomers } from "../access.ts";
import { recordAccess } from "../accesses.ts";
import type { Pages } from "../options.ts";
import { type InspectContext, type InspectEnv, inStore } from "../session.ts";
import { hasStaffRight } from "../../domain/staff_rights.ts";
import type { FormAttempt } from "../fields.tsx";
import { findOwnChange } from "../own_change.ts";
import { CHANGE_TEXTS } from "./change_texts.ts";
import type { HoldAttempt } from "./holds.tsx";
import { submitChange } from "./submit_change.ts";
import { type RefusedOpening, submitOpening } from "../opening/form.tsx";
import { CustomerPage } from "./page.tsx";
import { type CustomerView, journalOf, readCustomer } from "./read.ts";
import { submitHold } from "./submit_hold.ts";

const PATH = "/customers/:customerId";
const sequence = z.coerce.number().int().positive().max(2 ** 31 - 1).optional();
const Query = z.object({
  at: sequence,
  upto: sequence,
  done: uuid.optional().catch(undefined),
  changed: z.coerce.number().int().min(0).optional().catch(undefined),
});

export function addCustomers(app: Hono<InspectEnv>, pages: Pages): void {
  const { reader, live, actors } = pages;

  app.get(PATH, readCustomers, async (c) => {
    const { at, upto: upTo, done, changed } = parseInput(Query, c.req.query(), "show the customer");
    // The past is shown by the chart, which viewers who may not read legal holds do not see.
    const view = { customerId: idOf(c), at: hasStaffRight("READ_HOLDS", c.var.by) ? at : undefined, upTo };
    const [attempt, change] = await Promise.all([
      findDone(c, pages, view.customerId, done),
      findOwnChange(c, reader, journalOf({ storeId: c.var.by.storeId, customerId: view.customerId }), {
        sequence: changed,
        texts: CHANGE_TEXTS,
      }),
    ]);
    return c.html(await renderCustomer(c, pages, view, { attempt, change }));
  });

  app.post(
    `${PATH}/changes`,
    allow(
      "change customers",
      ...["UPDATE_CUSTOMERS", "CHANGE_STATUS", "CHANGE_ADDRESSES", "CHANGE_MEMBERSHIPS"] as const,
    ),
    async (c) => {
      const customerId = idOf(c);
      const submitted = await submitChange(c, pages, customerId);
      if ("action" in submitted) {
        const { action, sequence } = submitted;
        const path = inStore(c, `/inspect/customers/${customerId}?changed=${sequence}`);
        return c.redirect(`${path}#${CHANGE_TEXTS[action].section}`, 303);
      }
      const view = { customerId, at: undefined, upTo: undefined };
      return c.html(await renderCustomer(c, pages, view, { change: submitted.attempt }), submitted.status);
    },
  );

  app.post(`${PATH}/holds`, allow("change legal holds", "CHANGE_HOLDS"), async (c) => {
    const customerId = idOf(c);
    const submitted = await submitHold(c, actors, customerId);
    if ("done" in submitted) {
      const query = new URLSearchParams({ done: submitted.done });
      return c.redirect(`${inStore(c, `/inspect/customers/${customerId}?${query}`)}#holds`, 303);
    }
    const view = { customerId, at: undefined, upTo: undefined };
    return c.html(await renderCustomer(c, pages, view, submitted), submitted.status);
  });

  app.post(`${PATH}/requests`, openRequests, async (c) => {
    const customerId = idOf(c);
    const opened = await submitOpening(c, actors, customerId);
    if ("path" in opened) return c.redirect(opened.path, 303);
    const view = { customerId, at: undefined, upTo: undefined };
    return c.html(await renderCustomer(c, pages, view, opened), opened.status);
  });

  app.get(`${PATH}/live`, readCustomers, async (c) => {
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
  { attempt, change, refused }: {
    attempt?: HoldAttempt | undefined;
    change?: FormAttempt | undefined;
    refused?: RefusedOpening;
  } = {},
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
  return <CustomerPage {...{ c, view, reading, chart, now, attempt, change, refused }} />;
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
