/**
 * `deno task test [FILE …]`: starts what the tests need (a PostgreSQL in a temporary folder, a Kafka where
 * Java is to be had), runs them, and closes with the line `N passed, N failed, N skipped`.
 */
import { bootstrap } from "../db/bootstrap.ts";
import { startEmbedded } from "../db/embedded.ts";
import { migrate } from "../db/migrate.ts";

const PASSWORD = "test";

async function main(): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(
    await Deno.makeTempDir({ prefix: "customer-service-test-" }),
    (folder) => Deno.remove(folder, { recursive: true }),
  );
  await Deno.chmod(folder, 0o711);
  const settings = { fsync: "off", full_page_writes: "off", max_connections: "400" };
  const server = stack.use(await startEmbedded(`${folder}/database`, { settings }));
  await migrate(await bootstrap(server.adminUrl, "customer_template", PASSWORD));

  const report = `${folder}/report.xml`;
  const test = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--parallel", `--junit-path=${report}`, ...Deno.args],
    env: { TEST_ADMIN_URL: server.adminUrl },
  }).spawn();
  const { code } = await test.status;
  const { tests, failures, errors, skipped } = await readReport(report);
  const failed = failures + errors;
  console.log(`\n${tests - failed - skipped} passed, ${failed} failed, ${skipped} skipped`);
  return code;
}

/** The totals that the JUnit report carries on its outermost element; all 0 where there is no report. */
async function readReport(path: string) {
  const text = await Deno.readTextFile(path).catch(() => "");
  const total = (name: string) =>
    Number(text.match(new RegExp(`<testsuites[^>]* ${name}="(\\d+)"`))?.[1] ?? 0);
  const skipped = text.match(/<skipped/g)?.length ?? 0;
  return { tests: total("tests"), failures: total("failures"), errors: total("errors"), skipped };
}

Deno.exit(await main());
