/** Single connections that must not harm the process or the other connections. */
import assert from "node:assert/strict";
import {
  concat,
  DATA,
  END_HEADERS,
  type Frame,
  frame,
  GOAWAY,
  HEADERS,
  literals,
  readUint32,
} from "../attack/frames.ts";
import { observe, openRaw } from "./raw_client.ts";
import { REQUESTS } from "./requests.ts";
import { startTestServer } from "./server.ts";

Deno.test("an oversized frame that fills the read buffer ends its connection only", async () => {
  await using server = await startTestServer();
  using client = await openRaw(server.port);
  const upload = literals([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", "/upload"],
    ["content-type", "text/plain"],
  ]);
  // The buffer grows to its largest size only for a client that sends much at once.
  await client.send(frame(HEADERS, END_HEADERS, 1, upload));
  for (let sent = 0; sent < 4; sent++) {
    await client.send(concat(Array.from({ length: 8 }, () => frame(DATA, 0, 1, new Uint8Array(8_000)))));
    assert.ok(await client.isAlive());
  }
  const oversized = Uint8Array.of(0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1);
  await client.send(concat([oversized, new Uint8Array(100_000)]));
  const isEnd = ({ type, payload }: Frame) => type === GOAWAY && readUint32(payload, 4) === 6;
  assert.ok((await client.until(isEnd)).some(isEnd), "the client got no GOAWAY with FRAME_SIZE_ERROR");
  assert.equal(await observe(server.port, REQUESTS["a good call"]!), "200, 1 message, grpc-status 0; lives");
});
