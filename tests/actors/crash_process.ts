/**
 * Process that sends one command and kills itself by SIGKILL before it sends the nth SQL statement (0: never).
 * Arguments: database URL, n, and the command with its reference and context as JSON. Prints the answer.
 */
import postgres from "postgres";
import { createActors } from "../../actors/mod.ts";
import { requestSettings } from "./settings.ts";

const [url = "", killBefore = "0", request = ""] = Deno.args;
let statements = 0;
const sql = postgres(url, {
  max: 1,
  connection: { role: "customer_api" },
  transform: { column: { from: postgres.toCamel, to: postgres.fromCamel } },
  debug() {
    if (++statements === Number(killBefore)) Deno.kill(Deno.pid, "SIGKILL");
  },
});
const { ref, command, context } = JSON.parse(request);
// deno-lint-ignore no-console -- prints the answer
console.log(
  JSON.stringify(await createActors(sql, { requests: await requestSettings() }).send(ref, command, context)),
);
await sql.end();
