/**
 * `deno task bench retention`: bytes that a command and an erasure leave in each table, rates at which housekeeping deletes
 * them, and the share of the command capacity that the sweep of closed accounts takes.
 *
 * `--commands=20000 --erasures=300 --accounts=300 --seconds=4`
 */
import process from "node:process";
import postgres from "postgres";
import { reviewErasure } from "../actors/gdpr/effects/review.ts";
import { verifyErasure } from "../actors/gdpr/effects/verify.ts";
import { createRequestSettings } from "../actors/gdpr/mod.ts";
import { PAUSES, sweepBatch } from "../actors/gdpr/retention.ts";
import { type ActorsOptions, createActors } from "../actors/mod.ts";
import type { Actors } from "../actors/commands.ts";
import { startWorker } from "../actors/runtime/worker.ts";
import { openKeys } from "../config/keys.ts";
import { openPool, type Sql } from "../db/connect.ts";
import { deletePublished } from "../db/outbox.ts";
import { deleteEndedJournals } from "../db/retention_periods.ts";
import { systemPrincipal } from "../domain/principal.ts";
import { newTraceparent } from "../lib/trace_context.ts";
import { openDatabase } from "./_database.ts";
import { cpuMicroseconds } from "./_processes.ts";
import { options, printStep, type Report } from "./_report.ts";
import { formatNumber } from "./_statistics.ts";

/** No configured keys, so that new ones are generated. */
const NO_KEYS = { exportKey: undefined, hashKeys: undefined, receiptKey: undefined, receiptPublicKeys: [] };
/** Days for which the store of the sweep keeps closed accounts. */
const DAYS = 30;
const CALLERS = 8;
const DAY_MS = 86_400_000;
const PER_YEAR = 100 * 86_400 * 365;
const GIB = 1024 ** 3;

export async function retention(args: string[]): Promise<Report> {
  const settings = options(args, { commands: 20_000, erasures: 300, accounts: 300, seconds: 4 });
  await using database = await openDatabase();
  const admin = postgres(database.adminUrl, { max: 1, onnotice: () => {} });
  const [api, worker] = [
    openPool(database.url, "customer_api", 30),
    openPool(database.url, "customer_worker", 4),
  ];
  const requests: ActorsOptions["requests"] = createRequestSettings(
    { participants: [], graceMs: 0, fourEyes: false, fetchWaitMs: 0, maxSignInAgeMs: 900_000 },
    await openKeys(NO_KEYS, database.folder),
  );
  const actors = createActors(api, { requests });
  const storeId = crypto.randomUUID();
  const customers = await registerAll(actors, storeId, 2_000);

  const commands = await growthOf(admin, async () => {
    await inParallel(
      Array.from({ length: settings.commands }, (_, n) => customers[n % customers.length]!),
      async (id) => {
        await actors.send({ kind: "customer", storeId, id }, {
          type: "profile.update",
          firstName: crypto.randomUUID().slice(0, 8),
        }, {
          ...contextOf(storeId),
          idempotencyKey: crypto.randomUUID(),
        });
      },
    );
  });
  const erasures = await growthOf(admin, async () => {
    await erase({ actors, sql: worker, api }, storeId, customers.slice(0, settings.erasures));
  });

  printStep("deleting");
  await admin`update outbox set published_at = now() - interval '30 days'`;
  await admin`update actor_events set at = now() - interval '5 years' where actor_kind = 'customer'`;
  await admin`vacuum analyze outbox, actor_events`;
  const deletions = [
    ["published events", await rateOf(() => deletePublished(worker, 7 * DAY_MS, 5_000))],
    ["events of journals of customers", await rateOf(() => deleteEndedJournals(worker, 2_000))],
  ] as const;

  printStep("sweeping");
  const closed = await registerAll(actors, storeId, settings.accounts);
  await actors.send({ kind: "store_settings", storeId, id: storeId }, {
    type: "settings.change",
    closedAccountRetentionDays: DAYS,
  }, {
    ...contextOf(storeId),
    by: { id: crypto.randomUUID(), type: "STAFF", storeId, roles: ["PRIVACY_OFFICER"] },
  });
  await inParallel(closed, async (id) => {
    await actors.send({ kind: "customer", storeId, id }, { type: "account.close" }, contextOf(storeId));
  });
  await admin`update customers set closed_at = now() - interval '60 days' where status = 'CLOSED'`;
  await admin`vacuum analyze customers`;
  const cpu = async (work: () => Promise<unknown>, count: number) => {
    const own = process.cpuUsage();
    const before = await cpuMicroseconds(database.pid, true);
    await work();
    const { user, system } = process.cpuUsage(own);
    return (user + system + await cpuMicroseconds(database.pid, true) - before) / count;
  };
  let [sweep, capacity] = [0, 0];
  const openingCpu = await cpu(
    async () => sweep = await rateOf(() => sweepBatch({ sql: worker, api, actors })),
    settings.accounts,
  );
  const left = customers.slice(settings.erasures);
  const erased = left.splice(0, settings.erasures);
  const erasureCpu = await cpu(() => erase({ actors, sql: worker, api }, storeId, erased), erased.length);
  const updateCpu = await cpu(
    async () => capacity = await capacityOf(actors, storeId, left, settings.seconds),
    1,
  ) / (capacity * settings.seconds);
  const share = sweep / (1 + PAUSES) * (openingCpu + erasureCpu) / 1e6 / navigator.hardwareConcurrency;
  await Promise.all([admin.end(), api.end(), worker.end()]);

  const table = (title: string, growth: ReadonlyMap<string, number>, count: number, unit: string) => ({
    title,
    head: [
      "table",
      `bytes/${unit}`,
      ...(unit === "command" ? ["GiB/day at 100/s", "GiB/year at 100/s"] : []),
    ],
    rows: [...growth].filter(([, bytes]) => bytes / count >= 1).map(([name, bytes]) => [
      name,
      formatNumber(bytes / count),
      ...(unit === "command"
        ? [formatNumber(bytes / count * PER_YEAR / 365 / GIB), formatNumber(bytes / count * PER_YEAR / GIB)]
        : []),
    ]),
  });
  return {
    notes: [
      `${formatNumber(settings.commands)} profile updates with an idempotency key and ` +
      `${settings.erasures} erasures without participants, indexes included.`,
    ],
    tables: [
      table("growth by a command", commands, settings.commands, "command"),
      table("growth by an erasure", erasures, settings.erasures, "erasure"),
      {
        title: "deletion",
        head: ["rows", "rows/s"],
        rows: deletions.map(([name, rate]) => [name, formatNumber(rate)]),
      },
      {
        title: "sweep of closed accounts",
        head: ["", ""],
        rows: [
          [`profile updates/s, ${CALLERS} callers`, formatNumber(capacity)],
          ["requests/s of the sweep between two pauses", formatNumber(sweep)],
          ["requests/s of the sweep with its pauses", formatNumber(sweep / (1 + PAUSES))],
          ["CPU µs of a profile update, with PostgreSQL", formatNumber(updateCpu)],
          ["CPU µs of opening an erasure", formatNumber(openingCpu)],
          ["CPU µs of the erasure that follows", formatNumber(erasureCpu)],
          ["share of all processors, erasures included", `${formatNumber(share * 100)} %`],
          ["hours for a million accounts", formatNumber(1e6 / (sweep / (1 + PAUSES)) / 3_600)],
        ],
      },
    ],
  };
}

const contextOf = (storeId: string) => ({ by: systemPrincipal(storeId), traceparent: newTraceparent() });

async function registerAll(actors: Actors, storeId: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  await inParallel(ids, async (id) => {
    const command = { type: "register", email: `${id}@example.test` } as const;
    await actors.send({ kind: "customer", storeId, id }, command, contextOf(storeId));
  });
  return ids;
}

async function erase(
  { actors, sql, api }: { actors: ReturnType<typeof createActors>; sql: Sql; api: Sql },
  storeId: string,
  customers: readonly string[],
): Promise<void> {
  const performers = { "erasure.review": reviewErasure, "erasure.verify": verifyErasure };
  const [before] = await sql`select lookup_erasure_count()::int as count`;
  await inParallel(customers, async (customerId) => {
    const ref = { kind: "gdpr_request" as const, storeId, id: crypto.randomUUID() };
    await actors.send(ref, { type: "open", right: "ERASURE", customerId }, contextOf(storeId));
  });
  await using _worker = startWorker(
    { sql, api, actors, performers, pollMs: 50 } as Parameters<typeof startWorker>[0],
  );
  for (;;) {
    const [row] = await sql`select lookup_erasure_count()::int as count`;
    const [pending] = await sql`select count(*)::int as count from effects where state = 'PENDING'`;
    if (row?.count >= before?.count + customers.length && pending?.count === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Bytes by which each table has grown, with its indexes. The relay's update of each event is part of it. */
async function growthOf(admin: postgres.Sql, work: () => Promise<void>): Promise<Map<string, number>> {
  const sizes = async () => {
    await admin`update outbox set published_at = now() where published_at is null`;
    await admin`vacuum full`;
    const rows = await admin<{ name: string; bytes: number }[]>`
      select relname as name, pg_total_relation_size(oid)::float8 as bytes from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace`;
    return new Map(rows.map(({ name, bytes }) => [name, bytes]));
  };
  const before = await sizes();
  await work();
  const growth = [...await sizes()].map(([name, bytes]) => [name, bytes - (before.get(name) ?? 0)] as const);
  return new Map(growth.toSorted(([, a], [, b]) => b - a));
}

/** Rows per second of batches until one is empty. */
async function rateOf(batch: () => Promise<number>): Promise<number> {
  const start = performance.now();
  let rows = 0;
  for (let count = -1; count !== 0;) rows += count = await batch();
  return rows / ((performance.now() - start) / 1_000);
}

/** Commands per second of several callers. */
async function capacityOf(
  actors: Actors,
  storeId: string,
  customers: readonly string[],
  seconds: number,
): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  let done = 0;
  await Promise.all(Array.from({ length: CALLERS }, async () => {
    while (performance.now() < end) {
      const id = customers[Math.floor(Math.random() * customers.length)]!;
      const command = { type: "profile.update", firstName: String(Math.random()) } as const;
      await actors.send({ kind: "customer", storeId, id }, command, contextOf(storeId));
      done++;
    }
  }));
  return done / seconds;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  await Promise.all(Array.from({ length: CALLERS }, async () => {
    for (const item of left) await work(item);
  }));
}
