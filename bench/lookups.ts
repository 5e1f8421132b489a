// deno-lint-ignore-file no-console -- a benchmark prints its results
/**
 * `deno task bench lookups`: GetCustomerGroups compared with no-op handlers and with a plain service, in alternating
 * rounds so that other work of the machine affects all of them.
 *
 * `--customers=200000 --rounds=5 --seconds=5 --connections=16 --in-flight=16 --rate=4000`
 */
import deno from "../deno.json" with { type: "json" };
import { type BenchDatabase, type CustomerId, loadCustomers, openDatabase } from "./_database.ts";
import type { Job, LoadResult } from "./_load.ts";
import { writeAnswers, writeRequests } from "./_messages.ts";
import { cpuMicroseconds, type Serving, serving } from "./_processes.ts";
import { describeMachine, median, options, printStep, table } from "./_report.ts";

const PATH = "/io.shopstar.customer.v1.CustomerService/GetCustomerGroups";
const HERE = new URL(".", import.meta.url).pathname;
const PROTO = new URL("../proto", import.meta.url).pathname;

/** The variant whose ratio to the others is printed. */
const SUBJECT = "customer-service";

interface Variant {
  name: string;
  server: Serving;
}

interface Measured extends LoadResult {
  /** CPU microseconds per call. */
  serverCpu: number;
  postgresCpu: number;
}

export async function lookups(args: string[]): Promise<void> {
  const asked = options(args, {
    customers: 200_000,
    rounds: 5,
    seconds: 5,
    connections: 16,
    "in-flight": 16,
    rate: 4_000,
  });
  await using stack = new AsyncDisposableStack();
  console.log(await describeMachine());
  const database = stack.use(await openDatabase());
  const ids = await loadCustomers(database.adminUrl, asked.customers);
  const variants = await startVariants(stack, database, ids);
  const requests = await writeRequests(database.folder, ids);

  const common = {
    ...requests,
    path: PATH,
    connections: asked.connections,
    seconds: asked.seconds,
    warmUp: 1,
  };
  const loops: { name: string; job: Omit<Job, "port"> }[] = [
    {
      name: `closed loop, ${asked.connections} connections × ${asked["in-flight"]} in flight`,
      job: { ...common, inFlight: asked["in-flight"] },
    },
    {
      name: `even rate, ${asked.rate} calls/s over ${asked.connections} connections`,
      job: { ...common, rate: asked.rate },
    },
  ];
  for (const { port } of variants.map(({ server }) => server)) {
    await load({ ...common, port, inFlight: asked["in-flight"], seconds: 3 }); // JIT, plans and caches
  }
  for (const { name, job } of loops) {
    const rounds: Measured[][] = [];
    for (let round = 0; round < asked.rounds; round++) {
      const measured: Measured[] = [];
      for (const variant of variants) {
        printStep(`round ${round + 1} of ${asked.rounds}: ${variant.name}`);
        measured.push(await measure(variant.server, database, job));
      }
      rounds.push(measured);
    }
    report(name, variants.map((variant) => variant.name), rounds);
  }
}

async function startVariants(
  stack: AsyncDisposableStack,
  { url, adminUrl, folder }: BenchDatabase,
  ids: CustomerId[],
): Promise<Variant[]> {
  const answers = await writeAnswers(folder, url, ids);
  const start = async (name: string, command: string, args: string[]) => ({
    name,
    server: stack.use(await serving(command, args)),
  });
  const run = ["run", "-A"];
  const variants = [
    await start(SUBJECT, Deno.execPath(), [...run, `${HERE}_serve_lookups.ts`, url]),
    await start("no-op, our server", Deno.execPath(), [...run, `${HERE}_serve_noop_method.ts`, answers]),
  ];
  const plain = await installPlain(folder);
  if (!plain) return variants;
  return [
    ...variants,
    await start("no-op, grpc-js on Node", "node", [`${plain}/noop.mjs`, answers]),
    await start("plain, Node", "node", [`${plain}/server.mjs`, adminUrl, PROTO]),
  ];
}

/** Installs the plain service with its packages in a folder; undefined without npm. */
async function installPlain(folder: string): Promise<string | undefined> {
  const path = `${folder}/plain`;
  await Deno.mkdir(path);
  for (const file of ["server.mjs", "noop.mjs"]) {
    await Deno.copyFile(`${HERE}plain/${file}`, `${path}/${file}`);
  }
  const packages = [deno.imports["@grpc/grpc-js"], deno.imports["@grpc/proto-loader"], deno.imports["pg"]]
    .map((specifier) => specifier.replace("npm:", ""));
  const npm = new Deno.Command("npm", { args: ["install", "--silent", "--prefix", path, ...packages] });
  const installed = await npm.output().then(({ success }) => success, () => false);
  if (!installed) console.log("npm cannot install the plain service, which is skipped");
  return installed ? path : undefined;
}

async function measure(server: Serving, database: BenchDatabase, job: Omit<Job, "port">): Promise<Measured> {
  const cpu = () => Promise.all([cpuMicroseconds(server.pid), cpuMicroseconds(database.pid, true)]);
  const before = await cpu();
  const seen = await load({ ...job, port: server.port });
  const after = await cpu();
  // CPU time includes the warm-up, so the number of calls must too.
  const calls = seen.callsPerSecond * (job.seconds + job.warmUp);
  const [serverCpu, postgresCpu] = [(after[0] - before[0]) / calls, (after[1] - before[1]) / calls];
  return { ...seen, serverCpu, postgresCpu };
}

async function load(job: Job): Promise<LoadResult> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${HERE}_load.ts`, JSON.stringify(job)],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("Cannot continue: the load generator has failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

function report(loop: string, names: string[], rounds: Measured[][]): void {
  const middle = (at: number, of: (measured: Measured) => number) =>
    median(rounds.map((round) => of(round[at]!)));
  console.log(`\n${loop}, medians of ${rounds.length} rounds`);
  console.log(table(
    ["", "calls/s", "failed", "p50 ms", "p99 ms", "server CPU µs", "PostgreSQL CPU µs", `${SUBJECT} ÷ it`],
    names.map((name, at) => [
      name,
      middle(at, (seen) => seen.callsPerSecond).toFixed(0),
      String(rounds.reduce((sum, round) => sum + round[at]!.failed, 0)),
      middle(at, (seen) => seen.p50).toFixed(1),
      middle(at, (seen) => seen.p99).toFixed(1),
      middle(at, (seen) => seen.serverCpu).toFixed(0),
      middle(at, (seen) => seen.postgresCpu).toFixed(0),
      median(rounds.map((round) => round[0]!.callsPerSecond / round[at]!.callsPerSecond)).toFixed(2),
    ]),
  ));
}
