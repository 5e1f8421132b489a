/**
 * `deno task bench erasure`: concurrent erasures through a complete service with its three demo participants, from the
 * first request to the last receipt, and how the time grows with their number.
 *
 * `--erasures=1000 --more=10000`
 */
import postgres from "postgres";
import { createRequestSettings } from "../actors/gdpr/mod.ts";
import { createActors } from "../actors/mod.ts";
import { systemPrincipal } from "../domain/principal.ts";
import { newTraceparent } from "../lib/trace_context.ts";
import { openKeys } from "../config/keys.ts";
import { type Config, readConfig } from "../config/mod.ts";
import { openPool } from "../db/connect.ts";
import { start } from "../service.ts";
import { openDatabase } from "./_database.ts";
import { options, printStep, type Report } from "./_report.ts";

export async function erasure(args: string[]): Promise<Report> {
  const settings = options(args, { erasures: 1_000, more: 10_000 });
  const rows: string[][] = [];
  for (const count of [settings.erasures, settings.more].filter((count) => count > 0)) {
    await using database = await openDatabase();
    const config = readConfig({
      DATABASE_URL: database.url,
      DATA_DIR: `${database.folder}/data`,
      HTTP_PORT: "0",
      GRPC_PORT: "0",
    });
    await using _service = await start(config);
    const seconds = await erase(database.url, database.adminUrl, config, count);
    rows.push([String(count), seconds.toFixed(1), (count / seconds).toFixed(0)]);
  }
  return {
    notes: [
      "Erasures through a complete service with its three demonstration participants, all in one process.",
    ],
    tables: [{
      title: "from the first request to the last receipt",
      head: ["erasures", "seconds", "per second"],
      rows,
    }],
  };
}

/** Seconds from the first request to the last receipt. */
async function erase(url: string, adminUrl: string, config: Config, count: number): Promise<number> {
  const sql = openPool(url, "customer_api", 8);
  const admin = postgres(adminUrl, { max: 1 });
  const keys = await openKeys(config.gdpr.keys, config.dataDirectory);
  const actors = createActors(sql, { requests: createRequestSettings(config.gdpr, keys) });
  const storeId = crypto.randomUUID();
  const context = { by: systemPrincipal(storeId), traceparent: newTraceparent() };
  const customers = Array.from({ length: count }, () => crypto.randomUUID());
  await inParallel(customers, async (id) => {
    await actors.send(
      { kind: "customer", storeId, id },
      { type: "register", email: `${id}@example.test` },
      context,
    );
  });

  const from = performance.now();
  await inParallel(customers, async (customerId) => {
    const ref = { kind: "gdpr_request" as const, storeId, id: crypto.randomUUID() };
    await actors.send(ref, { type: "open", right: "ERASURE", customerId }, context);
  });
  for (let done = 0; done < count;) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const [row] = await admin`select count(*)::int as done from erasure_receipts where store_id = ${storeId}`;
    done = row?.done;
    printStep(`${done} of ${count} erased`);
  }
  const seconds = (performance.now() - from) / 1_000;
  await Promise.all([sql.end(), admin.end()]);
  return seconds;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>, at = 16): Promise<void> {
  const left = items.values();
  await Promise.all(Array.from({ length: at }, async () => {
    for (const item of left) await work(item);
  }));
}
