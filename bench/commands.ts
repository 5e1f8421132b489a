// deno-lint-ignore-file no-console -- a benchmark prints its results
/**
 * `deno task bench commands`: profile updates through the runtime compared with pgbench and the same SQL, in alternating
 * rounds. Needs `pgbench` (Debian: postgresql-contrib) on the path.
 *
 * `--customers=20000 --rounds=5 --seconds=8 --connections=10 --in-flight=32`
 */
import { cpuUsage } from "node:process";
import postgres from "postgres";
import { createRequestSettings } from "../actors/gdpr/mod.ts";
import { createActors } from "../actors/mod.ts";
import { systemPrincipal } from "../domain/principal.ts";
import { newTraceparent } from "../lib/trace_context.ts";
import { openKeys } from "../config/keys.ts";
import { openPool } from "../db/connect.ts";
import { openDatabase } from "./_database.ts";
import { cpuMicroseconds } from "./_processes.ts";
import { describeMachine, median, options, printStep, table } from "./_report.ts";

const SCRIPT = new URL("./commands.sql", import.meta.url).pathname;
const STORE = "00000000-0000-4000-8000-000000000000";

/** No configured keys, so that new ones are generated. */
const NO_KEYS = { exportKey: undefined, hashKeys: undefined, receiptKey: undefined, receiptPublicKeys: [] };

interface Measured {
  perSecond: number;
  /** Of this process, in microseconds for each update. */
  cpu: number;
  /** Of PostgreSQL, in microseconds for each update. */
  postgresCpu: number;
}

/** Callers that update one customer. */
const WRITERS_OF_ONE = 64;

export async function commands(args: string[]): Promise<void> {
  const settings = options(args, {
    customers: 20_000,
    rounds: 5,
    seconds: 8,
    connections: 10,
    "in-flight": 32,
  });
  console.log(await describeMachine());
  await using database = await openDatabase();
  await load(database.adminUrl, settings.customers);

  const sql = openPool(database.url, "customer_api", settings.connections);
  const requests = createRequestSettings(
    { participants: [], graceMs: 0, fourEyes: false, fetchWaitMs: 0 },
    await openKeys(NO_KEYS, database.folder),
  );
  const actors = createActors(sql, { requests });
  const variants: Record<string, () => Promise<number>> = {
    "customer-service": () => updates(actors, settings),
    [`one customer, ${WRITERS_OF_ONE} callers`]: () =>
      updates(actors, { ...settings, customers: 1, "in-flight": WRITERS_OF_ONE }),
    pgbench: () => pgbench(database.url, settings),
  };
  const seen: Record<string, Measured[]> = Object.fromEntries(
    Object.keys(variants).map((name) => [name, []]),
  );
  for (let round = 0; round <= settings.rounds; round++) {
    for (const [name, run] of Object.entries(variants)) {
      printStep(`round ${round} of ${settings.rounds}: ${name}`);
      const before = await cpuMicroseconds(database.pid, true);
      const own = cpuUsage();
      const perSecond = await run();
      const { user, system } = cpuUsage(own);
      const updates = perSecond * settings.seconds;
      const postgresCpu = (await cpuMicroseconds(database.pid, true) - before) / updates;
      const cpu = (user + system) / updates;
      if (round > 0) seen[name]!.push({ perSecond, cpu, postgresCpu }); // the first one warms up
    }
  }
  await sql.end();

  console.log(`\n${settings.connections} connections, medians of ${settings.rounds} rounds`);
  const rows = Object.entries(seen).map(([name, rounds]) => [
    name,
    median(rounds.map((round) => round.perSecond)).toFixed(0),
    name === "pgbench" ? "" : median(rounds.map((round) => round.cpu)).toFixed(0),
    median(rounds.map((round) => round.postgresCpu)).toFixed(0),
    median(rounds.map((round, at) => round.perSecond / seen.pgbench![at]!.perSecond)).toFixed(2),
  ]);
  console.log(table(["", "updates/s", "own CPU µs", "PostgreSQL CPU µs", "pgbench ×"], rows));
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
