// deno-lint-ignore-file no-console -- a task prints its result
/** `deno task erasure memory|replay`: prints the erasure memory, and replays it after a restore. */
import { parseArgs } from "node:util";
import { createRequestSettings } from "../actors/gdpr/mod.ts";
import { type ReplayCounts, replaySubjects } from "../actors/gdpr/requests/replay.ts";
import { createActors } from "../actors/mod.ts";
import { readKafkaAccess } from "../config/kafka_access.ts";
import { openKeys } from "../config/keys.ts";
import { type Config, ConfigError, readConfig } from "../config/mod.ts";
import { openPool } from "../db/connect.ts";
import { listErasedSubjects } from "../db/erased_subjects.ts";
import { describeError } from "../lib/error_description.ts";
import { createNotifier } from "../db/work.ts";
import { type Entry, readErasureLog } from "../events/erasure_log.ts";
import { readMemoryFile, writeLine } from "../events/erasure_memory_file.ts";
import { readEnvironment } from "./environment.ts";

const HELP = `Prints the erasure memory, the list of erased persons, and replays it after a restore.

  deno task erasure memory                     prints the memory of all stores, a line of JSON for each person
  deno task erasure replay --from kafka        replays the topic customer.erased, which is kept forever
  deno task erasure replay --from FILE         replays a file that "memory" has printed

A replay adds all persons to the memory, and requests the erasure of those whom the backup has restored. The service
carries out the erasures; it may run during the replay or start afterwards. A replay can be repeated.

Both need DATABASE_URL and the other variables of the service. The login must be a member of customer_owner for
memory, of customer_api for replay. Exit code 1: something could not be read or done; a message names it.`;

class UsageError extends Error {}

async function main([verb, ...args]: string[]): Promise<number> {
  if (verb === "memory" && args.length === 0) return await printMemory();
  if (verb === "replay") return await replay(source(args));
  if (verb !== "--help" && verb !== "-h") {
    throw new UsageError("Cannot run erasure: expected memory or replay; see erasure --help");
  }
  console.log(HELP);
  return 0;
}

async function printMemory(): Promise<number> {
  const sql = openPool(databaseUrl(readConfig(await readEnvironment())), "customer_owner", 1);
  const output = Deno.stdout.writable.getWriter();
  const encoder = new TextEncoder();
  let count = 0;
  try {
    for await (const subjects of listErasedSubjects(sql)) {
      await output.write(encoder.encode(subjects.map((subject) => `${writeLine(subject)}\n`).join("")));
      count += subjects.length;
    }
  } finally {
    await sql.end({ timeout: 1 });
  }
  console.error(count === 1 ? "1 subject" : `${count} subjects`);
  return 0;
}

async function replay(from: string): Promise<number> {
  const config = readConfig(await readEnvironment());
  const entries = await open(from, config);
  const api = openPool(databaseUrl(config), "customer_api", 4);
  const keys = await openKeys(config.gdpr.keys, config.dataDirectory);
  const requests = createRequestSettings(config.gdpr, keys);
  const actors = createActors(api, { requests, committed: createNotifier(api) });
  const total: ReplayCounts = { remembered: 0, erasedAgain: 0, underWay: 0, alreadyGone: 0, unknown: 0 };
  let [read, unreadable] = [0, 0];
  try {
    for await (const batch of entries) {
      const subjects = batch.flatMap(({ subject }) => subject ?? []);
      for (const { place, subject } of batch) if (!subject) console.error(`Cannot read ${place}`);
      const replayed = await replaySubjects(api, actors, subjects);
      for (const [name, count] of Object.entries(replayed)) total[name as keyof ReplayCounts] += count;
      read += subjects.length;
      unreadable += batch.length - subjects.length;
      console.log(`${read} read …`);
    }
  } catch (error) {
    console.log(describe(total));
    throw new UsageError(
      `Cannot continue after ${read} entries: ${
        describeError(error)
      }. The counts above are done; run it again for the rest`,
    );
  } finally {
    await api.end({ timeout: 5 });
  }
  if (total.erasedAgain > 0) console.log("The service carries out the requested erasures.");
  console.log(describe(total));
  if (unreadable === 0) return 0;
  console.error(
    `Cannot read ${unreadable} of ${
      read + unreadable
    } entries, named above: their persons are not erased again`,
  );
  return 1;
}

function describe({ remembered, erasedAgain, underWay, alreadyGone, unknown }: ReplayCounts): string {
  const more = underWay > 0 ? `, ${underWay} with an erasure in progress` : "";
  return `${remembered} remembered, ${erasedAgain} erased again, ${alreadyGone} already erased, ${unknown} unknown${more}`;
}

function source(args: string[]): string {
  try {
    const { values } = parseArgs({ args, options: { from: { type: "string" } } });
    if (values.from) return values.from;
  } catch { /* reported below */ }
  throw new UsageError("Cannot replay: expected --from kafka or --from FILE; see erasure --help");
}

async function open(from: string, { kafka }: Config): Promise<AsyncIterable<Entry[]>> {
  if (from !== "kafka") return readMemoryFile(from);
  if (kafka) return readErasureLog(await readKafkaAccess(kafka));
  throw new UsageError("Cannot replay from Kafka: KAFKA_BROKERS is not set");
}

function databaseUrl(config: Config): string {
  if (config.databaseUrl) return config.databaseDirectUrl ?? config.databaseUrl;
  throw new UsageError(
    "Cannot reach the database: DATABASE_URL is not set, and the embedded database belongs to the running service",
  );
}

try {
  Deno.exitCode = await main(Deno.args);
} catch (error) {
  const isExpected = error instanceof UsageError || error instanceof ConfigError;
  console.error(isExpected ? error.message : `Cannot continue: ${describeError(error)}`);
  Deno.exitCode = 1;
}
