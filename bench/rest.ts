/**
 * `deno task bench rest`: GET and POST of a customer compared with no-op Hono routes with the same validation, in
 * alternating rounds, without and with rate limits.
 *
 * `--customers=100000 --rounds=4 --seconds=3 --in-flight=32`
 */
import { loadCustomers, openDatabase } from "./_database.ts";
import { loadTable, measureServer, OURS, runRounds } from "./_compare.ts";
import { runJob, type Serving, serving } from "./_processes.ts";
import { options, type Report } from "./_report.ts";
import type { RestLoadResult } from "./_rest_load.ts";
import type { Served } from "./_serve_rest.ts";

const file = (name: string) => new URL(name, import.meta.url).pathname;
const RUN = ["run", "-A", "--unstable-no-legacy-abort"];

export async function rest(args: string[]): Promise<Report> {
  const settings = options(args, { customers: 100_000, rounds: 4, seconds: 3, "in-flight": 32 });
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await openDatabase());
  const [first, ...others] = await loadCustomers(database.adminUrl, settings.customers);
  const storeId = first!.storeId;
  const ids = `${database.folder}/ids`;
  const own = [first!, ...others].filter((customer) => customer.storeId === storeId);
  await Deno.writeTextFile(ids, own.map(({ customerId }) => customerId).join("\n"));

  const variants: Record<string, Served["what"]> = {
    "no-op routes": "noop",
    [OURS]: "customer-service",
    [`${OURS}, limited`]: "limited",
  };
  const servers = new Map<string, Serving>();
  for (const [name, what] of Object.entries(variants)) {
    const served: Served = { what, databaseUrl: database.url, storeId, folder: database.folder };
    const args = [...RUN, file("_serve_rest.ts"), JSON.stringify(served)];
    servers.set(name, stack.use(await serving(Deno.execPath(), args)));
  }
  const names = [...servers.keys()];
  const tables = [];
  for (const method of ["GET", "POST"] as const) {
    const measure = (name: string) =>
      measureServer(servers.get(name)!, database.pid, (port) =>
        runJob<RestLoadResult>("_rest_load.ts", {
          ...{ port, method, ids, seconds: settings.seconds, warmUp: 1 },
          inFlight: settings["in-flight"],
        }));
    for (const name of names) await measure(name); // warms up
    const rounds = await runRounds(method, settings.rounds, names, measure);
    const path = method === "GET" ? "GET /customers/{customerId}" : "POST /customers";
    tables.push(loadTable(path, rounds));
  }
  return {
    notes: [
      `${
        settings["in-flight"]
      } requests in flight, ${settings.rounds} rounds of ${settings.seconds} seconds. ` +
      "The no-op routes validate the same schemas. Limited: each request counts against both rate limits.",
    ],
    tables,
  };
}
