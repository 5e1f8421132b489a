// deno-lint-ignore-file no-console -- a task prints its result
/** `deno task archive --to FOLDER --days DAYS`: moves old records to files that are proved before the deletion. */
import { parseArgs } from "node:util";
import { ConfigError, readConfig } from "../config/mod.ts";
import {
  type ArchiveMonth,
  deleteArchivedRecords,
  findArchivableMonths,
  readArchivableRecords,
} from "../db/archive.ts";
import { readClock } from "../db/clock.ts";
import { openPool, type Sql } from "../db/connect.ts";
import { describeError } from "../lib/error_description.ts";
import { addSum, ArchiveFileError, namesOf, readLines, writeLines } from "./archive_file.ts";
import { readEnvironment } from "./environment.ts";

const HELP =
  `Moves events in the journals of customers, and completed requests, to files, so that the database stays small.

  deno task archive --to FOLDER --days DAYS      archives every whole month (UTC) that ended more than DAYS days ago
  deno task archive --days DAYS --dry-run        prints the months, and changes nothing

For each store, month and kind it writes STORE/YYYY-MM.events.1.ndjson.gz or STORE/YYYY-MM.requests.1.ndjson.gz, with one
record a line. A request has its participants, notices and events. The task then reads the file back from the disk, and
deletes a record only if the database still has exactly what the file has. SHA256SUMS has the hash of each file: "sha256sum
--check SHA256SUMS" verifies them later.

The files have IDs, times, states and the names of changed fields, but no reasons, notes or other free text: they have what an
erasure keeps. Records of customers with a legal hold, and requests with unfinished work, stay. Archived records are no longer
in access documents, over REST or in the inspector; receipts and the erasure memory stay. An interrupted run can be repeated
with the same folder.

It needs DATABASE_URL and the other variables of the service; the login must be a member of customer_worker. Exit code 1:
something could not be written, read or deleted; a message names it.`;

const DAY_MS = 86_400_000;
/** Records in one statement. */
const BATCH = { events: 1_000, requests: 50 };

class UsageError extends Error {}

interface Options {
  /** Undefined: only the months are printed. */
  folder: string | undefined;
  days: number;
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: { to: { type: "string" }, days: { type: "string" }, "dry-run": { type: "boolean" } },
  });
  const days = Number(values.days);
  if (!Number.isInteger(days) || days < 1) {
    throw new UsageError("Cannot archive: --days must be a number of days, at least 1; see archive --help");
  }
  if ((values.to === undefined) === !values["dry-run"]) {
    throw new UsageError("Cannot archive: expected either --to FOLDER or --dry-run; see archive --help");
  }
  return { folder: values.to, days };
}

/** Archives one month. Returns the number of deleted records. */
async function archive(sql: Sql, folder: string, month: ArchiveMonth): Promise<number> {
  const ofStore = `${folder}/${month.storeId}`;
  await Deno.mkdir(ofStore, { recursive: true });
  let deleted = 0;
  const { written, next } = await namesOf(ofStore, `${nameOf(month)}.${month.kind}`);
  for (const file of written) deleted += await deleteProved(sql, month, `${ofStore}/${file}`); // an interrupted run
  const records = readArchivableRecords(sql, month, BATCH[month.kind]);
  const first = await records.next();
  if (!first.done) {
    await writeLines(`${ofStore}/${next}`, prepend(first.value, records));
    deleted += await deleteProved(sql, month, `${ofStore}/${next}`);
    written.push(next);
  }
  for (const file of written) await addSum(folder, `${month.storeId}/${file}`);
  return deleted;
}

/** Deletes the records that the file on the disk has. */
async function deleteProved(sql: Sql, month: ArchiveMonth, path: string): Promise<number> {
  let deleted = 0;
  for await (const lines of readLines(path, BATCH[month.kind])) {
    deleted += await deleteArchivedRecords(sql, month, lines);
  }
  return deleted;
}

async function* prepend<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

const nameOf = ({ since }: ArchiveMonth) => since.toISOString().slice(0, "YYYY-MM".length);

async function main(args: string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  const { folder, days } = readOptions(args);
  const { databaseUrl } = readConfig(await readEnvironment());
  if (databaseUrl === undefined) throw new UsageError("Cannot archive: DATABASE_URL is missing");
  const sql = openPool(databaseUrl, "customer_worker", 1);
  try {
    const before = new Date((await readClock(sql)).getTime() - days * DAY_MS);
    const months = await findArchivableMonths(sql, before);
    for (const [index, month] of months.entries()) {
      const title = `store ${month.storeId}, ${month.kind} of ${nameOf(month)}`;
      if (folder === undefined) console.log(title);
      else {console.log(
          `${index + 1} of ${months.length}: ${title}: ${await archive(sql, folder, month)} moved`,
        );}
    }
    console.error(months.length === 1 ? "1 month" : `${months.length} months`);
    return 0;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

if (import.meta.main) {
  Deno.exitCode = await main(Deno.args).catch((error) => {
    const isExpected = [UsageError, ConfigError, ArchiveFileError].some((kind) => error instanceof kind) ||
      error?.code?.startsWith("ERR_PARSE_ARGS");
    console.error(isExpected ? error.message : `Cannot archive: ${describeError(error)}`);
    return 1;
  });
}
