/**
 * `deno task bench lookups`: GetCustomerGroups of the complete service compared with Quarkus (grpc-java on Netty, reactive
 * PostgreSQL client) and with a simple service on Node, in alternating rounds on one PostgreSQL.
 *
 * `--customers=200000 --rounds=4 --seconds=3`
 */
import { loadBaseline, Missing, startPlainNode, startQuarkus } from "./_baseline.ts";
import {
  barsOf,
  compareRounds,
  loadTable,
  type Measured,
  measureServer,
  OURS,
  runRounds,
} from "./_compare.ts";
import { type CustomerId, loadCustomers, openDatabase } from "./_database.ts";
import type { Job } from "./_load.ts";
import { writeRequests } from "./_messages.ts";
import { runJob, type Serving } from "./_processes.ts";
import { options, printStep, type Report } from "./_report.ts";
import { MESH, openShoppers, startService } from "./_service.ts";
import type { LoadResult } from "./_timings.ts";

const PATH = "/io.shopstar.customer.v1.CustomerService/GetCustomerGroups";
const QUARKUS_PATH = "/bench.v1.CustomerGroups/GetCustomerGroups";

const LOADS = [
  { name: "closed loop, 16 connections × 16 calls in flight", connections: 16, inFlight: 16 },
  { name: "closed loop, 4 connections × 16 calls in flight", connections: 4, inFlight: 16 },
  { name: "even rate, 4,000 calls/s over 4 connections", connections: 4, rate: 4_000 },
  { name: "even rate, 2,000 calls/s over 4 connections", connections: 4, rate: 2_000 },
];

interface Variant {
  server: Serving;
  job: Pick<Job, "path" | "requests" | "requestLength" | "headers">;
}

export async function lookups(args: string[]): Promise<Report> {
  const settings = options(args, { customers: 200_000, rounds: 4, seconds: 3 });
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await openDatabase());
  const customers = await loadCustomers(database.adminUrl, settings.customers);
  const shoppers = stack.use(await openShoppers());
  const service = stack.use(await startService(database.url, shoppers));
  const requests = await writeRequests(`${database.folder}/requests`, customers);
  const variants = new Map<string, Variant>([
    [OURS, { server: service.grpc, job: { ...requests, path: PATH, headers: MESH } }],
  ]);
  const skipped: string[] = [];
  const add = async (name: string, start: () => Promise<Variant>) => {
    try {
      printStep(`starting ${name}`);
      const variant = await start();
      stack.use(variant.server);
      variants.set(name, variant);
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      skipped.push(`${name} was skipped: ${error.message}.`);
    }
  };
  await add("Quarkus", async () => {
    const baseline = await loadBaseline(database.adminUrl, settings.customers);
    const server = await startQuarkus(baseline);
    return {
      server,
      job: { ...await writeRequests(`${database.folder}/baseline`, baseline.customers), path: QUARKUS_PATH },
    };
  });
  await add("simple service on Node", async () => ({
    server: await startPlainNode(database.adminUrl),
    job: { ...requests, path: PATH },
  }));

  const names = [...variants.keys()];
  for (const name of names) { // for JIT compilers, plans and caches
    const { server: { port }, job } = variants.get(name)!;
    await runJob("_load.ts", { ...job, port, connections: 16, inFlight: 16, seconds: 8, warmUp: 0 });
  }
  const report: Required<Report> = {
    notes: [describe(customers, settings), ...skipped],
    tables: [],
    plots: [],
    comparisons: [],
  };
  const charts: Record<
    "callsPerSecond" | "p99" | "serverCpu",
    { name: string; bars: ReturnType<typeof barsOf> }[]
  > = {
    callsPerSecond: [],
    p99: [],
    serverCpu: [],
  };
  for (const { name, ...load } of LOADS) {
    const rounds = await runRounds<Measured>(name, settings.rounds, names, async (variant) => {
      const { server, job } = variants.get(variant)!;
      return await measureServer(
        server,
        database.pid,
        (port) =>
          runJob<LoadResult>("_load.ts", { ...job, ...load, port, seconds: settings.seconds, warmUp: 0.5 }),
      );
    });
    report.tables.push(loadTable(name, rounds));
    const isClosed = load.rate === undefined;
    if (isClosed) charts.callsPerSecond.push({ name, bars: barsOf(rounds, (one) => one.callsPerSecond) });
    else charts.p99.push({ name, bars: barsOf(rounds, (one) => one.p99) });
    charts.serverCpu.push({ name, bars: barsOf(rounds, (one) => one.serverCpu) });
    report.comparisons.push(
      ...(isClosed
        ? compareRounds(`GetCustomerGroups, ${name}: calls/s`, rounds, (one) => one.callsPerSecond, "higher")
        : compareRounds(`GetCustomerGroups, ${name}: p99`, rounds, (one) => one.p99, "lower")),
    );
  }
  const title = "GetCustomerGroups";
  report.plots.push(
    {
      name: "lookups-rate",
      title: `${title}: calls per second`,
      unit: "calls/s",
      better: "higher",
      groups: charts.callsPerSecond,
    },
    {
      name: "lookups-p99",
      title: `${title}: p99 at an even rate`,
      unit: "ms",
      better: "lower",
      groups: charts.p99,
    },
    {
      name: "lookups-cpu",
      title: `${title}: CPU of the server`,
      unit: "µs/call",
      better: "lower",
      groups: charts.serverCpu,
    },
  );
  return report;
}

function describe(
  customers: readonly CustomerId[],
  { rounds, seconds }: { rounds: number; seconds: number },
): string {
  return `IDs at random of ${
    customers.length.toLocaleString("en-US")
  } customers, ${rounds} rounds of ${seconds} seconds ` +
    "in random order. Latencies begin when a call is due.";
}
