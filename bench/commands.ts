/**
 * `deno task bench commands`: profile updates through the runtime compared with pgbench and the same SQL, in alternating
 * rounds. Needs `pgbench` (Debian: postgresql-contrib) on the path.
 *
 * `--customers=20000 --rounds=4 --seconds=5 --connections=10 --in-flight=32`
 */
import process from "node:process";
import postgres from "postgres";
import { createRequestSettings } from "../actors/gdpr/mod.ts";
import { createActors } from "../actors/mod.ts";
import { systemPrincipal } from "../domain/principal.ts";
import { newTraceparent } from "../lib/trace_context.ts";
import { openKeys } from "../config/keys.ts";
import { openPool } from "../db/connect.ts";
import { openDatabase } from "./_database.ts";
import { cpuMicroseconds } from "./_processes.ts";
import { barsOf, compareRounds, OURS, runRounds } from "./_compare.ts";
import { options, type Report } from "./_report.ts";
import { formatNumber, formatRatios, formatSpread, median, ratioOf, spread } from "./_statistics.ts";

const SCRIPT = new URL("./commands.sql", import.meta.url).pathname;
const STORE = "00000000-0000-4000-8000-000000000000";

/** No configured keys, so that new ones are generated. */
const NO_KEYS = { exportKey: undefined, hashKeys: undefined, receiptKey: undefined, receiptPublicKeys: [] };

/** Callers that update one customer. */
const WRITERS_OF_ONE = 64;

interface Measured {
  perSecond: number;
  /** Microseconds per update of this process. */
  ownCpu: number;
  postgresCpu: number;
}

export async function commands(args: string[]): Promise<Report> {
  const settings = options(args, {
    customers: 20_000,
    rounds: 4,
    seconds: 5,
    connections: 10,
    "in-flight": 32,
  });
  await using database = await openDatabase();
  await load(database.adminUrl, settings.customers);
  const sql = openPool(database.url, "customer_api", settings.connections);
  const requests = createRequestSettings(
    { participants: [], graceMs: 0, fourEyes: false, fetchWaitMs: 0, maxSignInAgeMs: 900_000 },
    await openKeys(NO_KEYS, database.folder),
  );
  const actors = createActors(sql, { requests });
  const variants: Record<string, () => Promise<number>> = {
    [OURS]: () => updates(actors, settings),
    [`${OURS}, one customer`]: () =>
      updates(actors, { ...settings, customers: 1, "in-flight": WRITERS_OF_ONE }),
    pgbench: () => pgbench(database.url, settings),
  };
  const hasPgbench = await new Deno.Command("pgbench", { args: ["--version"] }).output()
    .then(({ success }) => success, () => false);
  if (!hasPgbench) delete variants.pgbench;
  const names = Object.keys(variants);
  const measure = async (name: string): Promise<Measured> => {
    const own = process.cpuUsage();
    const before = await cpuMicroseconds(database.pid, true);
    const perSecond = await variants[name]!();
    const done = perSecond * settings.seconds;
    const postgresCpu = (await cpuMicroseconds(database.pid, true) - before) / done;
    const { user, system } = process.cpuUsage(own);
    return { perSecond, ownCpu: name.startsWith(OURS) ? (user + system) / done : NaN, postgresCpu };
  };
  for (const name of names) await measure(name); // warms up
  const rounds = await runRounds("commands", settings.rounds, names, measure);
  await sql.end();
  const ours = rounds.get(OURS)!.map((one) => one.perSecond);
  const rows = [...rounds].map(([name, results]) => [
    name,
    formatSpread(spread(results.map((one) => one.perSecond))),
    name.startsWith(OURS) ? formatSpread(spread(results.map((one) => one.ownCpu))) : "–",
    formatNumber(median(results.map((one) => one.postgresCpu))),
    name === OURS ? "–" : formatRatios(ratioOf(ours, results.map((one) => one.perSecond)), "higher"),
  ]);
  return {
    notes: [
      `Profile updates of ${
        formatNumber(settings.customers)
      } customers through the runtime, ${settings.connections} ` +
      `connections, ${
        settings["in-flight"]
      } callers, ${settings.rounds} rounds of ${settings.seconds} seconds.`,
      ...(hasPgbench ? [] : ["pgbench was skipped: it is not installed."]),
    ],
    tables: [{
      title: "profile updates",
      head: ["", "updates/s", "CPU µs/update", "PostgreSQL CPU µs/update", "customer-service ÷ it"],
      rows,
    }],
    plots: [{
      name: "commands-rate",
      title: "Profile updates per second",
      unit: "updates/s",
      better: "higher",
      groups: [{ name: `${settings.connections} connections`, bars: barsOf(rounds, (one) => one.perSecond) }],
    }],
    comparisons: compareRounds("profile updates: updates/s", rounds, (one) => one.perSecond, "higher")
      .filter(({ alternative }) => alternative === "pgbench"),
  };
}

/** Customers of one store, with ids that pgbench can compute. */
async function load(adminUrl: string, count: number): Promise<void> {
  const sql = postgres(adminUrl, { max: 1 });
  await sql`
    insert into customers (store_id, customer_id, email, status, version, created_at, updated_at)
    select ${STORE}, ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n || '@example.test',
      'ACTIVE', 1, now(), now()
    from generate_series(1, ${count}::int) n`;
  await sql`vacuum analyze`;
  await sql.end();
}

/** Updates per second with a fixed number of concurrent callers. */
async function updates(
  actors: ReturnType<typeof createActors>,
  settings: { customers: number; seconds: number; "in-flight": number },
): Promise<number> {
  const end = performance.now() + settings.seconds * 1_000;
  const by = systemPrincipal(STORE);
  let done = 0;
  const caller = async () => {
    while (performance.now() < end) {
      const n = 1 + Math.floor(Math.random() * settings.customers);
      const ref = {
        kind: "customer" as const,
        storeId: STORE,
        id: `00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`,
      };
      const firstName = String(Math.random());
      await actors.send(ref, { type: "profile.update", firstName }, { by, traceparent: newTraceparent() });
      done++;
    }
  };
  await Promise.all(Array.from({ length: settings["in-flight"] }, caller));
  return done / settings.seconds;
}

async function pgbench(
  url: string,
  settings: { customers: number; seconds: number; connections: number },
): Promise<number> {
  const { success, stdout, stderr } = await new Deno.Command("pgbench", {
    args: [
      ...[
        "--no-vacuum",
        "--protocol=prepared",
        `--file=${SCRIPT}`,
        `--define=customers=${settings.customers}`,
      ],
      ...[`--client=${settings.connections}`, "--jobs=2", `--time=${settings.seconds}`, url],
    ],
    env: { PGOPTIONS: "-c role=customer_api" },
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`Cannot run pgbench: ${text.decode(stderr)}`);
  return Number(text.decode(stdout).match(/tps = ([\d.]+)/)?.[1]);
}
