// deno-lint-ignore-file no-console -- what a task prints is its result
/** `deno task erasure memory|replay`: keeps the erasure memory outside of the database, and brings it back. */
import { parseArgs } from "node:util";
import { createRequestSettings } from "../actors/gdpr/mod.ts";
import { type Replayed, replaySubjects } from "../actors/gdpr/requests/replay.ts";
import { createActors } from "../actors/mod.ts";
import { openKeys } from "../config/keys.ts";
import { type Config, ConfigError, readConfig } from "../config/mod.ts";
import { openPool } from "../db/connect.ts";
import { listErasedSubjects } from "../db/erased_subjects.ts";
import { describeError } from "../lib/error_description.ts";
import { createNotifier } from "../db/work.ts";
import { type Entry, readErasureLog } from "../events/erasure_log.ts";
import { readMemoryFile, writeLine } from "../events/erasure_memory_file.ts";
import { readEnvironment } from "./environment.ts";

const HELP = `Keeps the memory of who was erased outside of the database, and brings it back after a restore.

  deno task erasure memory                     prints the memory of every store, a line of JSON for each subject
  deno task erasure replay --from kafka        reads it from the topic customer.erased, which is kept for ever
  deno task erasure replay --from FILE         reads it from a file that "memory" has printed

A replay remembers everybody again, and has everybody erased again whom the backup has brought back. The service
carries the erasures out: it may run meanwhile or start afterwards. A replay may be repeated.

Both need DATABASE_URL and the rest of the service's environment, and a login that is a member of customer_owner
for memory, of customer_api for replay. Exit code 1: something could not be read or done, and it is said what.`;

class UsageError extends Error {}

async function main([verb, ...args]: string[]): Promise<number> {
  if (verb === "memory" && args.length === 0) return await printMemory();
  if (verb === "replay") return await replay(source(args));
  if (verb !== "--help" && verb !== "-h") throw new UsageError("Cannot tell what to do: see erasure --help");
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
  const entries = open(from, config);
  const api = openPool(databaseUrl(config), "customer_api", 4);
  const keys = await openKeys(config.gdpr.keys, config.dataDirectory);
  const requests = createRequestSettings(config.gdpr, keys);
  const actors = createActors(api, { requests, committed: createNotifier(api) });
  const total: Replayed = { remembered: 0, erasedAgain: 0, underWay: 0, alreadyGone: 0, unknown: 0 };
  let [read, unreadable] = [0, 0];
  try {
    for await (const some of entries) {
      const subjects = some.flatMap(({ subject }) => subject ?? []);
      for (const { place, subject } of some) if (!subject) console.error(`Cannot read ${place}`);
      const replayed = await replaySubjects(api, actors, subjects);
      for (const [name, count] of Object.entries(replayed)) total[name as keyof Replayed] += count;
      read += subjects.length;
      unreadable += some.length - subjects.length;
      console.log(`${read} read …`);
    }
  } catch (error) {
    console.log(describe(total));
    throw new UsageError(
      `Cannot continue after ${read} entries: ${
        describeError(error)
      }. What is told above is done; run it again for the rest`,
    );
  } finally {
    await api.end({ timeout: 5 });
  }
  if (total.erasedAgain > 0) console.log("The service carries out the erasures that were begun.");
  console.log(describe(total));
  if (unreadable === 0) return 0;
  console.error(
    `Cannot read ${unreadable} of ${
      read + unreadable
    } entries, named above: whom they mean is not erased again`,
  );
  return 1;
}

function describe({ remembered, erasedAgain, underWay, alreadyGone, unknown }: Replayed): string {
  const more = underWay > 0 ? `, ${underWay} with an erasure under way` : "";
  return `${remembered} remembered, ${erasedAgain} erased again, ${alreadyGone} already gone, ${unknown} unknown${more}`;
}

function source(args: string[]): string {
  try {
    const { values } = parseArgs({ args, options: { from: { type: "string" } } });
    if (values.from) return values.from;
  } catch { /* told below */ }
  throw new UsageError("Cannot replay: expected --from kafka or --from FILE; see erasure --help");
}

function open(from: string, { kafka }: Config): AsyncIterable<Entry[]> {
  if (from !== "kafka") return readMemoryFile(from);
  if (kafka) return readErasureLog(kafka);
  throw new UsageError("Cannot replay from Kafka: KAFKA_BROKERS is not set");
}

function databaseUrl(config: Config): string {
  if (config.databaseUrl) return config.databaseUrl;
  throw new UsageError(
    "Cannot reach the database: DATABASE_URL is not set, and the embedded database belongs to the running service",
  );
}

try {
  Deno.exitCode = await main(Deno.args);
} catch (error) {
  const told = error instanceof UsageError || error instanceof ConfigError;
  console.error(told ? error.message : `Cannot go on: ${describeError(error)}`);
  Deno.exitCode = 1;
}
