// deno-lint-ignore-file no-console -- a benchmark prints its results
/**
 * `deno task bench rest`: GET and POST of a customer compared with no-op Hono routes with the same validation, in
 * alternating rounds, without and with rate limits.
 *
 * `--customers=100000 --rounds=5 --seconds=6 --in-flight=32`
 */
import { loadCustomers, openDatabase } from "./_database.ts";
import { cpuMicroseconds, serving } from "./_processes.ts";
import { describeMachine, median, options, printStep, table } from "./_report.ts";
import type { RestJob, RestLoadResult } from "./_rest_load.ts";
import type { Served } from "./_serve_rest.ts";

const file = (name: string) => new URL(name, import.meta.url).pathname;
const RUN = ["run", "-A", "--unstable-no-legacy-abort"];

export async function rest(args: string[]): Promise<void> {
  const asked = options(args, { customers: 100_000, rounds: 5, seconds: 6, "in-flight": 32 });
  console.log(await describeMachine());
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await openDatabase());
  const [first, ...others] = await loadCustomers(database.adminUrl, asked.customers);
  const storeId = first!.storeId;
  const ids = `${database.folder}/ids`;
  const own = [first!, ...others].filter((customer) => customer.storeId === storeId);
  await Deno.writeTextFile(ids, own.map(({ customerId }) => customerId).join("\n"));

  const variants: Served["what"][] = ["noop", "customer-service", "limited"];
  const seen = new Map<string, (RestLoadResult & { cpu: number })[]>();
  const servers = await Promise.all(variants.map(async (what) => {
    const served: Served = { what, databaseUrl: database.url, storeId, folder: database.folder };
    return stack.use(
      await serving(Deno.execPath(), [...RUN, file("_serve_rest.ts"), JSON.stringify(served)]),
    );
  }));
  for (let round = 0; round <= asked.rounds; round++) {
    for (const method of ["GET", "POST"] as const) {
      for (const [at, what] of variants.entries()) {
        printStep(`round ${round} of ${asked.rounds}: ${method}, ${what}`);
        const { port, pid } = servers[at]!;
        const job = { port, method, ids, inFlight: asked["in-flight"], seconds: asked.seconds, warmUp: 1 };
        const before = await cpuMicroseconds(pid);
        const result = await drive(job);
        const calls = result.callsPerSecond * (job.seconds + job.warmUp);
        const cpu = (await cpuMicroseconds(pid) - before) / calls;
        if (round === 0) continue; // it warms up
        const key = `${method} ${what}`;
        seen.set(key, [...seen.get(key) ?? [], { ...result, cpu }]);
      }
    }
  }
  console.log(`\n${asked["in-flight"]} requests in flight, medians of ${asked.rounds} rounds`);
  const rows = [...seen].map(([key, rounds]) => {
    const noop = seen.get(`${key.split(" ")[0]} noop`)!;
    const of = (pick: (round: RestLoadResult & { cpu: number }) => number) => median(rounds.map(pick));
    return [
      key,
      of((round) => round.callsPerSecond).toFixed(0),
      median(rounds.map((round, at) => round.callsPerSecond / noop[at]!.callsPerSecond)).toFixed(2),
      of((round) => round.p50).toFixed(1),
      of((round) => round.p99).toFixed(1),
      of((round) => round.cpu).toFixed(0),
      String(rounds.reduce((sum, round) => sum + round.failed, 0)),
    ];
  });
  console.log(table(["", "calls/s", "no-op ×", "p50 ms", "p99 ms", "server CPU µs", "failed"], rows));
}

async function drive(job: RestJob): Promise<RestLoadResult> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", file("_rest_load.ts"), JSON.stringify(job)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("The load generator has failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}
