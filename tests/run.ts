// deno-lint-ignore-file no-console -- a task prints its result
/**
 * `deno task test [FILE …]`: starts a PostgreSQL in a temporary folder and, if Java is available, a Kafka, runs the
 * tests, and prints the line `N passed, N failed, N skipped`. REQUIRE_KAFKA=1 and REQUIRE_VAULT=1 make a missing Kafka or
 * Vault an error.
 */
import { bootstrap } from "../db/bootstrap.ts";
import { startEmbedded } from "../db/embedded.ts";
import { migrate } from "../db/migrate.ts";
import { type Broker, startBroker } from "./kafka/broker.ts";
import { KafkaMissing } from "./kafka/installation.ts";
import { findVault, VaultMissing } from "./vault/installation.ts";

const PASSWORD = "test";

async function main(): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(
    await Deno.makeTempDir({ prefix: "customer-service-test-" }),
    (folder) => Deno.remove(folder, { recursive: true }),
  );
  await Deno.chmod(folder, 0o711);
  const kafkaStarting = needs(Deno.args, /kafka|events|image/) ? startKafka(`${folder}/kafka`) : undefined;
  kafkaStarting?.catch(() => {}); // awaited below, once PostgreSQL has started
  stack.defer(async () => await (await kafkaStarting?.catch(() => undefined))?.[Symbol.asyncDispose]());
  const settings = { fsync: "off", full_page_writes: "off", max_connections: "400" };
  const server = stack.use(await startEmbedded(`${folder}/database`, { settings }));
  await migrate(await bootstrap(server.adminUrl, "customer_template", PASSWORD));
  const kafka = await kafkaStarting;
  const vault = needs(Deno.args, /vault/) ? await tryFindVault() : undefined;

  const report = `${folder}/report.xml`;
  const test = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--unstable-no-legacy-abort", "--parallel", `--junit-path=${report}`, ...Deno.args],
    env: {
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

/** Whether the tests need the topic's server. It takes seconds to start, so single files get it by their names only. */
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
    if (parts.some((_, at) => tests.has(`${file} ${parts.slice(0, at).join(" &gt; ")}`))) continue;
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
