/** Clients in other languages, each with the cases of gRPC's interoperability tests that need no account. */
import assert from "node:assert/strict";
import { CLIENTS, GoMissing, ToolMissing } from "./interop/clients.ts";
import { startTestServer } from "./server.ts";

const CASES = [
  "empty_unary",
  "large_unary",
  "gzip_unary",
  "status_code_and_message",
  "special_status_message",
  "custom_metadata",
  "cancel_before_begin",
  "cancel_after_begin",
  "cancel_after_first_response",
  "timeout_on_sleeping_server",
  "unimplemented_method",
  "unimplemented_service",
  "server_streaming",
  "ping_pong",
  "empty_stream",
];

for (const { language, prepare } of CLIENTS) {
  const command = await prepare().catch((error) => {
    const required = Deno.env.get(error instanceof GoMissing ? "REQUIRE_GO" : "REQUIRE_INTEROP") === "1";
    if (required || !(error instanceof GoMissing || error instanceof ToolMissing)) throw error;
    // deno-lint-ignore no-console -- says why a test is skipped
    console.warn(`The client in ${language} is skipped: ${error.message}`);
    return undefined;
  });
  Deno.test({
    name: `a gRPC client in ${language} gets what the protocol promises`,
    ignore: !command,
    async fn() {
      await using server = await startTestServer();
      const [program, args, env = {}] = command!(server.port);
      const { stdout, stderr } = await new Deno.Command(program, { args, env, stdin: "null" }).output();
      const lines = new TextDecoder().decode(stdout).trim().split("\n");
      assert.deepEqual(lines, CASES.map((name) => `${name} ok`), new TextDecoder().decode(stderr));
      await server.assertAlive();
    },
  });
}
