// deno-lint-ignore-file no-console -- a task prints its result
/** `deno task retention --dry-run`: lists the closed accounts whose erasure the service opens next, and counts ended records. */
import { findDueAccounts } from "../actors/gdpr/retention.ts";
import { ConfigError, readConfig } from "../config/mod.ts";
import { readClock } from "../db/clock.ts";
import { openPool } from "../db/connect.ts";
import { countEndedRows, type EndedRows } from "../db/retention_periods.ts";
import { erasureStart } from "../domain/retention.ts";
import { describeError } from "../lib/error_description.ts";
import { readEnvironment } from "./environment.ts";

const HELP =
  `Lists the closed accounts whose erasure the service opens next, and counts the records that it deletes next.

  deno task retention --dry-run      changes nothing

It prints a line for each account: the IDs of the store and of the customer, when the account was closed, and when the
erasure would start, separated by tabs. Their number follows on the error output. Accounts with a legal hold or an open
erasure are left out. The service itself opens the erasures in the background.

The error output also has a line for each store and each kind of record whose retention period has passed: completed
requests with their notices and events, legal holds that have ended, and events in the journals of customers. The
service deletes them in the background.

It needs DATABASE_URL and the other variables of the service; the login must be a member of customer_api and
customer_worker. Exit code 1: the accounts could not be read; a message names the reason.`;

const KINDS: readonly [kind: Exclude<keyof EndedRows, "storeId">, name: string][] = [
  ["requests", "completed requests"],
  ["notices", "notices of these requests"],
  ["requestEvents", "events of these requests and notices"],
  ["holds", "ended legal holds"],
  ["customerEvents", "events of customers"],
];

class UsageError extends Error {}

async function main(args: string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  if (args.join(" ") !== "--dry-run") {
    throw new UsageError("Cannot run retention: expected --dry-run; see retention --help");
  }
  const { databaseUrl } = readConfig(await readEnvironment());
  if (databaseUrl === undefined) {
    throw new UsageError("Cannot read the closed accounts: DATABASE_URL is missing");
  }
  const [sql, api] = [openPool(databaseUrl, "customer_worker", 1), openPool(databaseUrl, "customer_api", 1)];
  try {
    const now = await readClock(sql);
    let count = 0;
    for await (const { storeId, customerId, closedAt, days } of findDueAccounts({ sql, api }, now)) {
      const start = erasureStart(closedAt, days, now);
      console.log([storeId, customerId, closedAt.toISOString(), start.toISOString()].join("\t"));
      count++;
    }
    console.error(count === 1 ? "1 account" : `${count} accounts`);
    for (const rows of await countEndedRows(sql)) {
      for (const [kind, name] of KINDS) {
        if (rows[kind] > 0) console.error(`store ${rows.storeId}: ${rows[kind]} ${name}`);
      }
    }
    return 0;
  } finally {
    await Promise.all([sql.end({ timeout: 5 }), api.end({ timeout: 5 })]);
  }
}

if (import.meta.main) {
  Deno.exitCode = await main(Deno.args).catch((error) => {
    const isExpected = error instanceof UsageError || error instanceof ConfigError;
    console.error(
      isExpected ? error.message : `Cannot list the accounts and records: ${describeError(error)}`,
    );
    return 1;
  });
}
