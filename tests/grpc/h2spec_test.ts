/** HTTP/2 as the specification has it, by h2spec: every case, in plain text and over TLS. */
import assert from "node:assert/strict";
import { createAuthority } from "../rpc/certificates.ts";
import { findH2spec, GoMissing, readReport, runH2spec } from "./h2spec.ts";
import { startTestServer, type TestServerOptions } from "./server.ts";

/** More than h2spec had when this was written would be a new version, fewer a run that was cut short. */
const CASES = 146;

const program = await findH2spec().catch((error) => {
  if (!(error instanceof GoMissing) || Deno.env.get("REQUIRE_GO") === "1") throw error;
  // deno-lint-ignore no-console -- says why tests are skipped
  console.warn(`h2spec is skipped: ${error.message}`);
  return undefined;
});

function h2specTest(name: string, options: () => TestServerOptions): void {
  Deno.test({
    name,
    ignore: !program,
    async fn() {
      const { tls } = options();
      await using server = await startTestServer(tls ? { tls } : {});
      const { passed, skipped, failed } = await runH2spec(program!, {
        port: server.port,
        tls: tls !== undefined,
      });
      assert.deepEqual(failed, []);
      assert.equal(passed.length + skipped.length, CASES);
      await server.assertAlive();
    },
  });
}

h2specTest("the server passes every case of h2spec", () => ({}));

h2specTest("the server passes every case of h2spec over TLS", () => ({
  tls: createAuthority("h2spec test").issue({ ip: "127.0.0.1" }),
}));

Deno.test("a failed case of h2spec is named with what was expected", () => {
  const report =
    `<testsuite><testcase package="http2/5.1" classname="half closed: Sends a HEADERS frame" time="1">
      <failure>Expected: &lt;RST_STREAM&gt; Actual: Timeout</failure></testcase>
    <testcase package="http2/6.7" classname="Sends a PING frame" time="1"></testcase>
    <testcase package="http2/6.8" classname="Sends nothing" time="1"><skipped></skipped></testcase></testsuite>`;
  assert.deepEqual(readReport(report), {
    passed: ["http2/6.7: Sends a PING frame"],
    skipped: ["http2/6.8: Sends nothing"],
    failed: ["http2/5.1: half closed: Sends a HEADERS frame (Expected: <RST_STREAM> Actual: Timeout)"],
  });
});
