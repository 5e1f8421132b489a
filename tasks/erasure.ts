// deno-lint-ignore-file no-console -- a task prints its result
/** `deno task erasure memory|replay|accept|participant-key|scrub`: the erasure memory, and what an erasure leaves. */
import { parseArgs } from "node:util";
import { createRequestSettings } from "../actors/gdpr/mod.ts";
import { isProven, proveErasure } from "../actors/gdpr/requests/erasure_proof.ts";
import { type ReplayCounts, replaySubjects } from "../actors/gdpr/requests/replay.ts";
import { createActors } from "../actors/mod.ts";
import { readKafkaAccess } from "../config/kafka_access.ts";
import { openKeys } from "../config/keys.ts";
import { type Config, ConfigError, readConfig } from "../config/mod.ts";
import { openPool, type Role, type Sql } from "../db/connect.ts";
import { countErased, listErasedSubjects } from "../db/erased_subjects.ts";
import { insertDecision } from "../db/restore_marks.ts";
import { scrubTables } from "../db/vacuum.ts";
import { readStore } from "../db/store_reader.ts";
import { createNotifier } from "../db/work.ts";
import { type Entry, isVerified, readErasureLog, type Verify } from "../events/erasure_log.ts";
import { readMemoryFile, writeLine } from "../events/erasure_memory_file.ts";
import { compareLog } from "../events/restore_check.ts";
import { hasEarlierMarker, replaceMarker } from "../events/restore_marker.ts";
import { describeError } from "../lib/error_description.ts";
import { readEnvironment } from "./environment.ts";

const HELP = `Prints the erasure memory, the list of erased persons, and replays it after a restore.

  deno task erasure memory                     prints the memory of all stores, a signed line of JSON for each person
  deno task erasure replay --from kafka        replays the topic customer.erased, which is kept forever
  deno task erasure replay --from FILE         replays a file that "memory" has printed
  deno task erasure accept --reason TEXT       lets the service serve a restored database without a replay
  deno task erasure scrub [--full]             builds the indexes of the tables with personal data again and vacuums
                                               these; --full writes the tables again and blocks all access meanwhile
  deno task erasure participant-key            prints the key with which participants hash emails, in base64

  --dry-run          changes nothing, and prints what a replay would do and whom it would erase
  --trust-unsigned   also replays entries that this service has not signed: with it, anyone who can write to the topic
                     or the file can have any customer erased

A replay adds all persons to the memory, and requests the erasure of those whom the backup has restored. The service
carries out the erasures; it may run during the replay or start afterwards. A replay can be repeated. Both a replay
without refused entries and accept are recorded in the table erasure_memory_decisions.

All need DATABASE_URL and the other variables of the service. The login must be a member of customer_owner for memory
and scrub, of customer_api and customer_worker for replay, of customer_worker for accept. Exit code 1: something could not be read,
verified or done; a message names it.`;

class UsageError extends Error {}

async function main([verb, ...args]: string[]): Promise<number> {
  if (verb === "memory" && args.length === 0) return await printMemory();
  if (verb === "replay") return await replay(readOptions(args));
  if (verb === "accept") return await accept(readReason(args));
  if (verb === "scrub") return await scrub(readScrubOptions(args));
  if (verb === "participant-key" && args.length === 0) return await printParticipantKey();
  if (verb !== "--help" && verb !== "-h") {
    throw new UsageError(
      "Cannot run erasure: expected memory, replay, accept, scrub or participant-key; see erasure --help",
    );
  }
  console.log(HELP);
  return 0;
}

async function readSettings() {
  const config = readConfig(await readEnvironment());
  return { config, keys: await openKeys(config.gdpr.keys, config.dataDirectory) };
}

async function withPool<Result>(
  config: Config,
  role: Role,
  use: (sql: Sql) => Promise<Result>,
): Promise<Result> {
  const sql = openPool(databaseUrl(config), role, role === "customer_api" ? 4 : 1);
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function printMemory(): Promise<number> {
  const { config, keys } = await readSettings();
  const output = Deno.stdout.writable.getWriter();
  const encoder = new TextEncoder();
  let count = 0;
  await withPool(config, "customer_owner", async (sql) => {
    for await (const subjects of listErasedSubjects(sql)) {
      const lines = await Promise.all(
        subjects.map(async (subject) =>
          `${writeLine(subject, await proveErasure(keys.hashKeys, subject))}\n`
        ),
      );
      await output.write(encoder.encode(lines.join("")));
      count += subjects.length;
    }
  });
  console.error(count === 1 ? "1 subject" : `${count} subjects`);
  return 0;
}

async function printParticipantKey(): Promise<number> {
  const { keys } = await readSettings();
  for (const { id, participants } of keys.hashKeys) {
    const raw = new Uint8Array(await crypto.subtle.exportKey("raw", participants));
    console.log(`${id} ${raw.toBase64()}`);
  }
  return 0;
}

interface ReplayOptions {
  from: string;
  dryRun: boolean;
  trustUnsigned: boolean;
}

/** Results of a replay by store. */
interface StoreTotal {
  counts: ReplayCounts;
  entries: number;
  persons: Set<string>;
}

async function replay(options: ReplayOptions): Promise<number> {
  const { config, keys } = await readSettings();
  const batches = await open(options.from, config);
  const verify: Verify = (subject, proof) => isProven(keys.hashKeys, subject, proof);
  return await withPool(config, "customer_api", async (api) => {
    const requests = createRequestSettings(config.gdpr, keys);
    const actors = createActors(api, { requests, committed: createNotifier(api) });
    const stores = new Map<string, StoreTotal>();
    let [read, unreadable, unsigned] = [0, 0, 0];
    try {
      for await (const batch of batches) {
        const subjects = [];
        for (const entry of batch) {
          read++;
          if (!entry.subject) {
            unreadable++;
            console.error(`Cannot read ${entry.place}`);
          } else if (!options.trustUnsigned && !await isVerified(entry, verify)) {
            unsigned++;
            console.error(`Cannot verify ${entry.place}`);
          } else subjects.push(entry.subject);
        }
        const replays = await replaySubjects(api, options.dryRun ? undefined : actors, subjects);
        for (const { storeId, counts, restored } of replays) {
          const mine = subjects.filter((subject) => subject.storeId === storeId);
          add(stores, storeId, counts, mine.map(({ customerId }) => customerId));
          if (!options.dryRun) continue;
          for (const customerId of restored) {
            console.log(`Would erase customer ${customerId} of store ${storeId}`);
          }
        }
        console.log(`${read} read …`);
      }
    } catch (error) {
      console.log(describe(sum(stores), options.dryRun));
      throw new UsageError(
        `Cannot continue after ${read} entries: ${
          describeError(error)
        }. The counts above are done; run it again for the rest`,
      );
    }
    for (const [storeId, { counts, entries, persons }] of stores) {
      const known = await readStore(api, storeId, (sql) => countErased(sql, storeId));
      console.log(
        `Store ${storeId}: ${entries} entries about ${persons.size} persons; ${
          describe(counts, options.dryRun)
        }; ` +
          `the database remembers ${known}`,
      );
    }
    const total = sum(stores);
    if (!options.dryRun && total.erasedAgain > 0) {
      console.log("The service carries out the requested erasures.");
    }
    const refusedEntries = unreadable + unsigned;
    if (!options.dryRun && refusedEntries === 0 && read > 0) {
      await recordReplay(config, options.from, total.remembered);
    }
    console.log(describe(total, options.dryRun));
    if (refusedEntries === 0) return 0;
    console.error(
      `Cannot use ${refusedEntries} of ${read} entries, named above (${unreadable} unreadable, ${unsigned} not signed by ` +
        "this service): their persons are not erased again",
    );
    return 1;
  });
}

/** The file's marker and the database belong together again. */
async function recordReplay(config: Config, from: string, missing: number): Promise<void> {
  await withPool(config, "customer_worker", async (sql) => {
    const source = from === "kafka" ? "the topic customer.erased" : "an erasure memory file";
    await insertDecision(sql, { decision: "REPLAYED", reason: `Replayed from ${source}`, missing });
    if (config.gdpr.markerFile !== undefined) await replaceMarker(sql, config.gdpr.markerFile);
  });
}

function add(
  stores: Map<string, StoreTotal>,
  storeId: string,
  counts: ReplayCounts,
  customerIds: readonly string[],
): void {
  const total = stores.get(storeId) ?? { counts: NOTHING, entries: 0, persons: new Set() };
  stores.set(storeId, {
    counts: plus(total.counts, counts),
    entries: total.entries + customerIds.length,
    persons: total.persons.union(new Set(customerIds)),
  });
}

const NOTHING: ReplayCounts = { remembered: 0, erasedAgain: 0, underWay: 0, alreadyGone: 0, unknown: 0 };

function sum(stores: ReadonlyMap<string, StoreTotal>): ReplayCounts {
  return [...stores.values()].reduce((total, { counts }) => plus(total, counts), NOTHING);
}

function plus(one: ReplayCounts, other: ReplayCounts): ReplayCounts {
  const names = Object.keys(NOTHING) as (keyof ReplayCounts)[];
  return Object.fromEntries(names.map((name) => [name, one[name] + other[name]])) as unknown as ReplayCounts;
}

function describe(counts: ReplayCounts, dryRun: boolean): string {
  const { remembered, erasedAgain, underWay, alreadyGone, unknown } = counts;
  const more = underWay > 0 ? `, ${underWay} with an erasure in progress` : "";
  const [adding, erasing] = dryRun ? ["to remember", "to erase again"] : ["remembered", "erased again"];
  return `${remembered} ${adding}, ${erasedAgain} ${erasing}, ${alreadyGone} already erased, ${unknown} unknown${more}`;
}

async function accept(reason: string): Promise<number> {
  const { config, keys } = await readSettings();
  const { markerFile } = config.gdpr;
  if (!config.kafka && markerFile === undefined) {
    throw new UsageError(
      "Cannot accept: neither KAFKA_BROKERS nor GDPR_MARKER_FILE is set, so nothing is compared",
    );
  }
  return await withPool(config, "customer_worker", async (sql) => {
    const verify: Verify = (subject, proof) => isProven(keys.hashKeys, subject, proof);
    const isEarlier = markerFile !== undefined && await hasEarlierMarker(sql, markerFile);
    const kafka = config.kafka && await readKafkaAccess(config.kafka);
    const missing = kafka ? (await compareLog(sql, kafka, verify, { accept: true })).missing : 0;
    if (missing === 0 && !isEarlier) {
      console.log("The database lacks no erasure: there is nothing to accept.");
      return 0;
    }
    if (markerFile !== undefined) await replaceMarker(sql, markerFile);
    await insertDecision(sql, { decision: "ACCEPTED", reason, missing });
    console.log(
      `Accepted. The database lacks ${missing} erasures of customer.erased, and the service serves it.`,
    );
    return 0;
  });
}

function readOptions(args: string[]): ReplayOptions {
  try {
    const { values } = parseArgs({
      args,
      options: {
        from: { type: "string" },
        "dry-run": { type: "boolean", default: false },
        "trust-unsigned": { type: "boolean", default: false },
      },
    });
    if (values.from) {
      return { from: values.from, dryRun: values["dry-run"], trustUnsigned: values["trust-unsigned"] };
    }
  } catch { /* reported below */ }
  throw new UsageError("Cannot replay: expected --from kafka or --from FILE; see erasure --help");
}

async function scrub(options: { full: boolean }): Promise<number> {
  const { config } = await readSettings();
  await withPool(config, "customer_owner", (sql) => scrubTables(sql, options, (step) => console.log(step)));
  console.log("Done. Backups, replicas and the write-ahead log keep what they contain; see docs/erasure.md");
  return 0;
}

function readScrubOptions(args: string[]): { full: boolean } {
  try {
    const { full } = parseArgs({ args, options: { full: { type: "boolean", default: false } } }).values;
    return { full };
  } catch {
    throw new UsageError("Cannot scrub: expected --full or nothing; see erasure --help");
  }
}

function readReason(args: string[]): string {
  try {
    const reason = parseArgs({ args, options: { reason: { type: "string" } } }).values.reason?.trim();
    if (reason && reason.length <= 500) return reason;
  } catch { /* reported below */ }
  throw new UsageError("Cannot accept: expected --reason with up to 500 characters; see erasure --help");
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
