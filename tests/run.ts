// deno-lint-ignore-file no-console -- a task prints its result
/**
 * `deno task test [FILE …]`: starts a PostgreSQL in a temporary folder and, if Java is available, a Kafka, runs the
 * tests, and prints the line `N passed, N failed, N skipped`. REQUIRE_KAFKA=1 and REQUIRE_VAULT=1 make a missing Kafka or
 * Vault an error. Files named `*_long_test.ts` are left out unless they are named: `deno task test-long` runs them.
 */
import { statfs } from "node:fs/promises";
import { bootstrap } from "../db/bootstrap.ts";
import { startEmbedded } from "../db/embedded.ts";
import { migrate } from "../db/migrate.ts";
import { type Broker, startBroker } from "./kafka/broker.ts";
import { KafkaMissing } from "./kafka/installation.ts";
import { findVault, VaultMissing } from "./vault/installation.ts";

const PASSWORD = "test";
/** Exit code of a run that a signal ended before the tests started. */
const INTERRUPTED = 130;
/** Signals that end the tests, and then the servers. */
const SIGNALS: Deno.Signal[] = ["SIGINT", "SIGTERM"];
const TEST_FLAGS = [
  ...["-A", "--unstable-no-legacy-abort", "--parallel"],
  // Test files run briefly: a larger young generation, in MiB, avoids most of their garbage collections.
  "--v8-flags=--min-semi-space-size=32,--max-semi-space-size=64",
];

async function main(): Promise<number> {
  const interrupted = new AbortController();
  for (const signal of SIGNALS) Deno.addSignalListener(signal, () => interrupted.abort());
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(
    await Deno.makeTempDir({ ...await memoryFolder(), prefix: "customer-service-test-" }),
    (folder) => Deno.remove(folder, { recursive: true }),
  );
  await Deno.chmod(folder, 0o711);
  const args = await selectTests(Deno.args);
  const kafkaStarting = needs(args, /kafka|events|image|chaos/) ? startKafka(`${folder}/kafka`) : undefined;
  kafkaStarting?.catch(() => {}); // awaited below, once PostgreSQL has started
  stack.defer(async () => await (await kafkaStarting?.catch(() => undefined))?.[Symbol.asyncDispose]());
  const settings = { fsync: "off", full_page_writes: "off", max_connections: "400" };
  const server = stack.use(await startEmbedded(`${folder}/database`, { settings }));
  await migrate(await bootstrap(server.adminUrl, "customer_template", PASSWORD));
  const kafka = await kafkaStarting;
  const vault = needs(args, /vault/) ? await tryFindVault() : undefined;
  if (interrupted.signal.aborted) return INTERRUPTED;

  const report = `${folder}/report.xml`;
  const test = new Deno.Command(Deno.execPath(), {
    args: ["test", ...TEST_FLAGS, `--junit-path=${report}`, ...args],
    signal: interrupted.signal,
    env: {
      // Two files more than cores, because many tests wait for processes and time limits.
      DENO_JOBS: Deno.env.get("DENO_JOBS") ?? String(navigator.hardwareConcurrency + 2),
      TEST_ADMIN_URL: server.adminUrl,
      ...(kafka ? { TEST_KAFKA: kafka.brokers } : {}),
      ...(vault ? { TEST_VAULT: vault } : {}),
    },
  }).spawn();
  const { success, code } = await test.status;
  const { passed, failed, skipped } = countTests(await Deno.readTextFile(report).catch(() => ""));
  // A file that cannot be loaded is not in the report.
  console.log(`\n${passed} passed, ${success ? failed : Math.max(failed, 1)} failed, ${skipped} skipped`);
  return code;
}

const MEMORY_FOLDER = "/dev/shm";
/** Enough for the databases, brokers and browsers of a run. */
const MEMORY_FOLDER_BYTES = 4 * 2 ** 30;

/**
 * The folder of the servers: one in memory, where creating a database takes half the time, else the default for
 * temporary files. Containers often have one that is too small or mounted `noexec`. The tests themselves use the
 * default, because Deno needs all permissions to read files below /dev.
 */
async function memoryFolder(): Promise<{ dir?: string }> {
  try {
    const { bavail, bsize } = await statfs(MEMORY_FOLDER);
    if (bavail * bsize < MEMORY_FOLDER_BYTES) return {};
    const program = await Deno.makeTempFile({ dir: MEMORY_FOLDER });
    try {
      await Deno.copyFile("/bin/true", program);
      await Deno.chmod(program, 0o755);
      return (await new Deno.Command(program).output()).success ? { dir: MEMORY_FOLDER } : {};
    } finally {
      await Deno.remove(program);
    }
  } catch {
    return {};
  }
}

/** The files of the built image contain tests of packages. `--ignore` replaces the exclusions of deno.json. */
const OUTSIDE = [".data", "coverage"];

/** Replaces `--long` by the names of the long tests. Without it they are ignored, except those that are named. */
async function selectTests(args: readonly string[]): Promise<string[]> {
  const long = await Array.fromAsync(longTests("tests"));
  if (args.includes("--long")) return [...args.filter((arg) => arg !== "--long"), ...long];
  const ignored = long.filter((path) => !args.some((arg) => arg.endsWith(path)));
  return [`--ignore=${[...OUTSIDE, ...ignored].join()}`, ...args];
}

async function* longTests(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* longTests(`${folder}/${name}`);
    else if (name.endsWith("_long_test.ts")) yield `${folder}/${name}`;
  }
}

/** Whether the tests need the topic's server. Single files start it only if their path names the topic. */
function needs(args: readonly string[], topic: RegExp): boolean {
  const paths = args.filter((arg) => !arg.startsWith("-"));
  return paths.length === 0 || paths.some((path) => topic.test(path) || isFolder(path));
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Starts the broker that all tests share; undefined if Kafka is neither available nor required. */
async function startKafka(folder: string): Promise<Broker | undefined> {
  try {
    return await startBroker(folder);
  } catch (error) {
    if (!(error instanceof KafkaMissing)) throw error;
    if (Deno.env.get("REQUIRE_KAFKA") === "1") {
      throw new KafkaMissing(`${error.message} (REQUIRE_KAFKA=1)`);
    }
    console.warn(`Tests with Kafka are skipped: ${error.message}`);
    return undefined;
  }
}

/** Path of the Vault program; undefined if it is neither available nor required. */
async function tryFindVault(): Promise<string | undefined> {
  try {
    return await findVault();
  } catch (error) {
    if (!(error instanceof VaultMissing)) throw error;
    if (Deno.env.get("REQUIRE_VAULT") === "1") {
      throw new VaultMissing(`${error.message} (REQUIRE_VAULT=1)`);
    }
    console.warn(`Tests with Vault are skipped: ${error.message}`);
    return undefined;
  }
}

/** Counts a JUnit report's tests. It lists a test's steps after the tests of the file, as `test > step`. */
function countTests(report: string): { passed: number; failed: number; skipped: number } {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  const tests = new Set<string>();
  for (
    const [, name = "", file, body = ""] of report.matchAll(
      /<testcase name="([^"]*)" classname="([^"]*)"[^>]*>(.*?)<\/testcase>/gs,
    )
  ) {
    const parts = name.split(" &gt; ");
    if (parts.some((_, index) => tests.has(`${file} ${parts.slice(0, index).join(" &gt; ")}`))) continue;
    tests.add(`${file} ${name}`);
    totals[/<failure|<error/.test(body) ? "failed" : /<skipped/.test(body) ? "skipped" : "passed"]++;
  }
  return totals;
}

Deno.exit(
  await main().catch((error) => {
    if (!(error instanceof KafkaMissing || error instanceof VaultMissing)) throw error;
    console.error(error.message);
    return 1;
  }),
);
