/** Account status of a customer: routes to suspend, reinstate and close an account. */
import { allow } from "../access.ts";
import { type Api, createRoute, json, refusals, z } from "../api.ts";
import { sendAndRead } from "../changes.ts";
import { changeHeaders, versioned } from "../conditional_headers.ts";
import type { RestOptions } from "../options.ts";
import { note, optionalReason } from "../free_text.ts";
import { bodyOf, CustomerSchema } from "./customer.ts";
import { customerPath, findCustomer } from "./profile.ts";

const ReasonSchema = z.strictObject({
  reason: optionalReason,
  note,
}).meta({ id: "AccountReason" });

/** The state machine decides which command each state accepts. */
const COMMANDS = {
  suspend: "Suspends an active customer",
  reinstate: "Reactivates a suspended or closed customer",
  close: "Closes the account of a customer, whose record remains",
} as const;
type Command = keyof typeof COMMANDS;

const routeOf = (command: Command) =>
  createRoute({
    operationId: `${command}Customer`,
    method: "post",
    path: `/customers/{customerId}/${command}`,
    summary: COMMANDS[command],
    tags: ["Customers"],
    middleware: allow(`${command}Customer`),
    request: {
      params: customerPath,
      headers: changeHeaders,
      body: { required: false, content: { "application/json": { schema: ReasonSchema } } },
    },
    responses: {
      200: { ...json("The updated customer", CustomerSchema), ...versioned },
      ...refusals("NOT_FOUND", "REFUSED_IN_STATE", "CONFLICT"),
    },
  });

export function addAccountRoutes(api: Api, { actors, lookups }: RestOptions): void {
  for (const command of Object.keys(COMMANDS) as Command[]) {
    api.openapi(routeOf(command), async (c) => {
      const { customerId } = c.req.valid("param");
      const ref = { kind: "customer", storeId: c.var.by.storeId, id: customerId } as const;
      const { resource, headers } = await sendAndRead(
        c,
        (context) => actors.sendAndRead(ref, { ...c.req.valid("json"), type: `account.${command}` }, context),
        () => findCustomer(c, lookups, customerId),
      );
      return c.json(bodyOf(resource), 200, headers);
    });
  }
}
