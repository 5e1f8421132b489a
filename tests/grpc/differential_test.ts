/** The same requests, frame by frame, to grpc-js on Node and to our server: what differs is in a table, with its reason. */
import assert from "node:assert/strict";
import { nodeFolder, ToolMissing } from "./interop/clients.ts";
import { observe } from "./raw_client.ts";
import { REQUESTS } from "./requests.ts";
import { startTestServer } from "./server.ts";

/** What our server does on purpose in another way than grpc-js on Node does, by the name of the request. */
const DELIBERATE: Record<string, { ours: string; because: string }> = {};

const folder = await nodeFolder().catch((error) => {
  if (!(error instanceof ToolMissing) || Deno.env.get("REQUIRE_INTEROP") === "1") throw error;
  // deno-lint-ignore no-console -- says why the test is skipped
  console.warn(`The comparison with grpc-js on Node is skipped: ${error.message}`);
  return undefined;
});

Deno.test({
  name: "the server answers as grpc-js on Node does, but for a table of differences",
  ignore: !folder,
  async fn(t) {
    await using reference = await startTestServer({ command: ["node", `${folder}/server.mjs`] });
    await using ours = await startTestServer();
    for (const [name, request] of Object.entries(REQUESTS)) {
      await t.step(name, async () => {
        const [expected, seen] = await Promise.all([
          observe(reference.port, request),
          observe(ours.port, request),
        ]);
        const deliberate = DELIBERATE[name];
        if (deliberate) {
          assert.notEqual(deliberate.ours, expected, "it differs no more: take it from the table");
        }
        assert.equal(seen, deliberate?.ours ?? expected);
        await ours.assertAlive();
      });
    }
  },
});
