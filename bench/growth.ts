/**
 * `deno task bench growth`: lookups and `me` with 10 thousand and with 1 million customers, in alternating rounds;
 * `--full=1` adds 10 million, which takes some minutes to load and 8 GB in the temporary folder.
 *
 * `--full=0 --rounds=4 --seconds=3`
 */
import { type Measured, measureServer, runRounds } from "./_compare.ts";
import { addDatabase, loadCustomers, openDatabase } from "./_database.ts";
import type { HttpLoadResult } from "./_http_load.ts";
import { writeRequests } from "./_messages.ts";
import { runJob } from "./_processes.ts";
import { type Comparison, options, printStep, type Report } from "./_report.ts";
import { MESH, openShoppers, startService, writeTokens } from "./_service.ts";
import { formatNumber, formatRatios, median, ratioOf, spread } from "./_statistics.ts";
import type { LoadResult } from "./_timings.ts";

const SIZES = [10_000, 1_000_000];
const LARGEST = 10_000_000;
const SHOPPERS = 1_000;

export async function growth(args: string[]): Promise<Report> {
  const settings = options(args, { full: 0, rounds: 4, seconds: 3 });
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await openDatabase());
  const shoppers = stack.use(await openShoppers());
  const services = new Map<string, Awaited<ReturnType<typeof prepare>>>();

  async function prepare(size: number) {
    printStep(`loading ${size} customers`);
    const database = await addDatabase(server.adminUrl, `customers_${size}`);
    const customers = await loadCustomers(database.adminUrl, size);
    const name = `${server.folder}/${size}`;
    const requests = await writeRequests(`${name}-requests`, customers);
    const tokens = await writeTokens(`${name}-tokens`, shoppers, customers.slice(0, SHOPPERS));
    return { service: stack.use(await startService(database.url, shoppers)), requests, tokens };
  }

  for (const size of settings.full ? [...SIZES, LARGEST] : SIZES) {
    services.set(size.toLocaleString("en-US"), await prepare(size));
  }
  const names = [...services.keys()];
  const times = { seconds: settings.seconds, warmUp: 0.5 };
  const lookup = (load: { connections: number; inFlight?: number; rate?: number }) => (name: string) => {
    const { service, requests } = services.get(name)!;
    const path = "/io.shopstar.customer.v1.CustomerService/GetCustomerGroups";
    const job = { ...requests, ...times, ...load, path, headers: MESH };
    return measureServer(
      service.grpc,
      server.pid,
      (port) => runJob<LoadResult>("_load.ts", { ...job, port }),
    );
  };
  const query = (name: string) => {
    const { service, tokens } = services.get(name)!;
    const body = JSON.stringify({ query: "{ me { email addresses { city } shopperGroups { name } } }" });
    const job = {
      ...times,
      path: "/graphql",
      body,
      tokens,
      expected: '{"data":{"me":{"email"',
      connections: 4,
    };
    return measureServer(
      service.http,
      server.pid,
      (port) => runJob<HttpLoadResult>("_http_load.ts", { ...job, port }),
    );
  };
  const works: [name: string, measure: (name: string) => Promise<Measured>][] = [
    ["GetCustomerGroups, closed loop, 4 × 16", lookup({ connections: 4, inFlight: 16 })],
    ["GetCustomerGroups, 2,000/s", lookup({ connections: 4, rate: 2_000 })],
    ["me, 4 connections", query],
  ];
  const rows: string[][] = [];
  const comparisons: Comparison[] = [];
  const groups: {
    name: string;
    bars: { label: string; isOurs: boolean; median: number; low: number; high: number }[];
  }[] = [];
  for (const [work, measure] of works) {
    for (const name of names) await measure(name); // for plans and caches
    const rounds = await runRounds(work, settings.rounds, names, measure);
    const smallest = rounds.get(names[0]!)!.map((one) => one.p50);
    for (const [name, results] of rounds) {
      const middle = (pick: (one: Measured) => number) => formatNumber(median(results.map(pick)));
      const ratio = ratioOf(results.map((one) => one.p50), smallest);
      const isSmallest = name === names[0];
      rows.push([
        `${work}: ${name}`,
        ...[middle((one) => one.callsPerSecond), middle((one) => one.p50), middle((one) => one.p99)],
        ...[middle((one) => one.serverCpu), middle((one) => one.postgresCpu)],
        String(results.reduce((sum, one) => sum + one.failed, 0)),
        isSmallest ? "–" : formatRatios(ratio, "lower"),
      ]);
      if (!isSmallest) {
        comparisons.push({
          work: `${work}, ${name} customers: p50`,
          alternative: `${names[0]} customers`,
          ratio,
          better: "lower",
        });
      }
    }
    groups.push({
      name: work,
      bars: [...rounds].map(([name, results]) => ({
        label: `${name} customers`,
        isOurs: true,
        ...spread(results.map((one) => one.p50)),
      })),
    });
  }
  return {
    notes: [
      `IDs at random of up to 200,000 customers of the whole table, ${settings.rounds} rounds of ${settings.seconds} ` +
      "seconds, PostgreSQL with its default settings." +
      (settings.full
        ? ""
        : " 10 million customers were not measured: `deno task bench growth --full=1` does."),
    ],
    tables: [{
      title: "growth",
      head: [
        "",
        "calls/s",
        "p50 ms",
        "p99 ms",
        "CPU µs/call",
        "PostgreSQL CPU µs/call",
        "failed",
        `p50 ÷ that of ${names[0]}`,
      ],
      rows,
    }],
    plots: [{ name: "growth-p50", title: "Growth: median latency", unit: "ms", better: "lower", groups }],
    comparisons,
  };
}
