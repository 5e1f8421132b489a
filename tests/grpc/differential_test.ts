/** The same requests, frame by frame, to grpc-js on Node and to our server: what differs is in a table, with its reason. */
import assert from "node:assert/strict";
import { nodeFolder, ToolMissing } from "./interop/clients.ts";
import { observe } from "./raw_client.ts";
import { REQUESTS } from "./requests.ts";
import { startTestServer } from "./server.ts";

const MALFORMED = "it is malformed, so that what the caller meant is not known";
const RFC_VALUES = "RFC 9113 section 8.2.1 makes such a request malformed";

/** Intended differences of our server from grpc-js on Node, by the name of the request. */
const DELIBERATE: Record<string, { ours: string; because: string }> = {
  "content-type application/grpc-web": {
    ours: "415; lives",
    because: "another protocol: an answer in gRPC would not be understood",
  },
  "method GET": { ours: "405; lives", because: "gRPC calls are POST requests" },
  "a path without a slash": {
    ours: "200, grpc-status 12; lives",
    because: "no method has such a path, and the caller learns more from a status",
  },
  "grpc-timeout below zero": { ours: "200, grpc-status 13; lives", because: MALFORMED },
  "grpc-timeout of nine digits": { ours: "200, grpc-status 13; lives", because: MALFORMED },
  "a compressed message without an encoding": {
    ours: "200, grpc-status 13; lives",
    because: "the specification asks for INTERNAL",
  },
  "an unknown encoding, message not compressed": {
    ours: "200, grpc-status 12; lives",
    because: "the specification asks for UNIMPLEMENTED, and the next message may be compressed",
  },
  "a compression flag of 2": { ours: "200, grpc-status 13; lives", because: MALFORMED },
  "bytes after the message": {
    ours: "200, grpc-status 13; lives",
    because: "they begin a second message, which breaks off",
  },
  "half a message": {
    ours: "200, grpc-status 13; lives",
    because: "the message is malformed; the method exists",
  },
  "half a prefix": {
    ours: "200, grpc-status 13; lives",
    because: "the message is malformed; the method exists",
  },
  "no :authority": {
    ours: "200, 1 message, grpc-status 0; lives",
    because: "RFC 9113 does not require it, and nothing here depends on it",
  },
  "a NUL in a header's value": { ours: "RST_STREAM PROTOCOL_ERROR; lives", because: RFC_VALUES },
  "a line break in a header's value": { ours: "RST_STREAM PROTOCOL_ERROR; lives", because: RFC_VALUES },
  "HEADERS on stream 0": {
    ours: "GOAWAY PROTOCOL_ERROR; ends",
    because: "RFC 9113 section 6.2 asks for PROTOCOL_ERROR",
  },
};

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
