/**
 * `deno task bench footprint`: start-up time, what each import costs, and memory, idle and under load, compared with a
 * bare Hono server. The service runs as in production, on a migrated PostgreSQL and without a reachable Kafka.
 *
 * `--customers=20000 --runs=5 --idle=5 --seconds=10 --in-flight=16`
 */
import { freePort } from "../tests/ports.ts";
import { production, TRUSTING } from "../tests/production.ts";
import { type CustomerId, loadCustomers, openDatabase } from "./_database.ts";
import { drive, type LoadCounts } from "./_mixed_load.ts";
import { cpuMicroseconds, memory } from "./_processes.ts";
import { importCosts } from "./_imports.ts";
import { median, options, printStep, type Report } from "./_report.ts";
import { RUN } from "./_service.ts";
import { formatNumber, formatSpread, spread } from "./_statistics.ts";

const ROOT = new URL("..", import.meta.url).pathname;

interface Variant {
  name: string;
  args: string[];
  env: Record<string, string>;
  http: number;
  grpc: number | undefined;
}

interface Measured extends LoadCounts {
  /** Milliseconds from the start of the process to the first 200 of /readyz. */
  ready: number;
  /** CPU milliseconds until then, which depend little on other work of the machine. */
  readyCpu: number;
  idle: Sample;
  loaded: Sample;
  /** Maximum in megabytes. */
  most: number;
  /** A few seconds after the load. */
  after: Sample;
}

type Sample = Awaited<ReturnType<typeof memory>>;
type Options = Record<"idle" | "seconds" | "in-flight", number>;

export async function footprint(args: string[]): Promise<Report> {
  const settings = options(args, { customers: 20_000, runs: 5, idle: 5, seconds: 10, "in-flight": 16 });
  await using database = await openDatabase();
  const customers = await loadCustomers(database.adminUrl, settings.customers);
  const [http, grpc, bare] = [freePort(), freePort(), freePort()];
  const variants: Variant[] = [
    {
      name: "customer-service",
      args: [...RUN, "main.ts"],
      env: { ...production(database.url), ...TRUSTING, HTTP_PORT: String(http), GRPC_PORT: String(grpc) },
      http,
      grpc,
    },
    {
      name: "Hono alone",
      args: ["run", "-A", "--quiet", "bench/_serve_bare.ts", String(bare)],
      env: {},
      http: bare,
      grpc: undefined,
    },
  ];
  const rounds: Measured[][] = [];
  for (let run = 0; run < settings.runs; run++) {
    const measured: Measured[] = [];
    for (const variant of variants) {
      printStep(`run ${run + 1} of ${settings.runs}: ${variant.name}`);
      measured.push(await measure(variant, customers, settings));
    }
    rounds.push(measured);
  }
  printStep("imports");
  return report(variants.map(({ name }) => name), rounds, settings, await importCosts());
}

async function measure(
  variant: Variant,
  customers: readonly CustomerId[],
  settings: Options,
): Promise<Measured> {
  const from = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: variant.args,
    cwd: ROOT,
    env: variant.env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await untilReady(variant.http);
    const ready = performance.now() - from;
    const readyCpu = await cpuMicroseconds(child.pid) / 1_000;
    const idle = middle(await watch(child.pid, settings.idle));
    const driving = drive({
      ...variant,
      customers,
      inFlight: settings["in-flight"],
      seconds: settings.seconds,
    });
    const loaded = await watch(child.pid, settings.seconds);
    const driven = await driving;
    const after = middle(await watch(child.pid, settings.idle));
    const most = Math.max(...loaded.map(({ resident }) => resident));
    return { ...driven, ready, readyCpu, idle, loaded: middle(loaded), most, after };
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

async function untilReady(port: number): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
    await pause(5);
  }
  throw new Error(`Cannot measure: the server on port ${port} is not ready after a minute`);
}

/** Takes four samples per second and drops those of the first second. */
async function watch(pid: number, seconds: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let quarter = 0; quarter < seconds * 4; quarter++) {
    await pause(250);
    if (quarter >= 4) samples.push(await memory(pid));
  }
  return samples;
}

function middle(samples: readonly Sample[]): Sample {
  return {
    resident: median(samples.map(({ resident }) => resident)),
    own: median(samples.map(({ own }) => own)),
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function report(
  names: string[],
  rounds: Measured[][],
  { idle, seconds, "in-flight": inFlight }: Options,
  imports: string[][],
): Report {
  const all = (at: number, what: (measured: Measured) => number) =>
    spread(rounds.map((round) => what(round[at]!)));
  const of = (at: number, what: (measured: Measured) => number) => formatNumber(all(at, what).median);
  const both = (at: number, what: (measured: Measured) => Sample) =>
    `${of(at, (seen) => what(seen).resident)} (${of(at, (seen) => what(seen).own)})`;
  return {
    notes: [
      `${rounds.length} runs: until ready, ${idle} s idle, then ${seconds} s with ${inFlight} requests in flight. ` +
      "Memory is VmRSS, and in parentheses the part that is not mapped from a file. The modules are compiled, as in the image.",
    ],
    tables: [{
      title: "processes",
      head: [
        ...["", "ready ms", "CPU ms until ready", "idle MB", "loaded MB", "max MB", `${idle} s later MB`],
        ...["answers/s", "failed"],
      ],
      rows: names.map((name, at) => [
        name,
        formatSpread(all(at, (seen) => seen.ready)),
        of(at, (seen) => seen.readyCpu),
        both(at, (seen) => seen.idle),
        both(at, (seen) => seen.loaded),
        of(at, (seen) => seen.most),
        both(at, (seen) => seen.after),
        of(at, (seen) => seen.answered / seconds),
        String(rounds.reduce((sum, round) => sum + round[at]!.failed, 0)),
      ]),
    }, {
      title: "imports, without what an earlier one has loaded; medians of five processes",
      head: ["module", "ms", "loaded"],
      rows: imports,
    }],
    plots: [{
      name: "footprint-ready",
      title: "Time until ready",
      unit: "ms",
      better: "lower",
      groups: [{
        name: "from the start of the process",
        bars: names.map((label, at) => ({
          label,
          isOurs: label === "customer-service",
          ...all(at, (seen) => seen.ready),
        })),
      }],
    }],
  };
}
