// deno-lint-ignore-file no-console -- what a client prints is its result
// The interoperability cases with grpc-js on Node: `client.mjs HOST:PORT`. Prints `name ok` or `name failed reason`.
import * as grpc from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import process from "node:process";

const client = new grpc.Client(process.argv[2], grpc.credentials.createInsecure());
const same = (bytes) => bytes;
const path = (method) => `/echo.v1.Echo/${method}`;
const soon = () => Date.now() + 10_000;

/** Resolves with the status, the answers and both kinds of metadata, whatever becomes of the call. */
function unary(method, request, { metadata = new grpc.Metadata(), options = {}, begun = () => {} } = {}) {
  return new Promise((resolve) => {
    const seen = {};
    const call = client.makeUnaryRequest(
      method,
      same,
      same,
      request,
      metadata,
      { deadline: soon(), ...options },
      (_, response) => seen.response = response,
    );
    call.on("metadata", (header) => seen.header = header);
    call.on("status", (status) => resolve({ ...seen, ...status }));
    begun(call);
  });
}

function streaming(method, begun, answered = () => {}) {
  return new Promise((resolve) => {
    const answers = [];
    const call = client.makeBidiStreamRequest(method, same, same, { deadline: soon() });
    call.on("data", (bytes) => {
      answers.push(bytes);
      answered(call, answers.length);
    });
    call.on("error", () => {});
    call.on("status", (status) => resolve({ answers, ...status }));
    begun(call);
  });
}

const uint32s = (...values) => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, at) => bytes.writeUInt32BE(value, at * 4));
  return bytes;
};

const SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
const status = (code, message) => unary(path("Status"), Buffer.from([code, ...Buffer.from(message)]));
const { CANCELLED, DEADLINE_EXCEEDED, OK, UNIMPLEMENTED, UNKNOWN } = grpc.status;

const CASES = {
  async empty_unary() {
    const { code, response } = await unary(path("Unary"), Buffer.alloc(0));
    assert.deepEqual([code, response.length], [OK, 0]);
  },
  async large_unary() {
    const request = Buffer.alloc(256 * 1024, 7);
    const { code, response } = await unary(path("Unary"), request);
    assert.deepEqual([code, request.equals(response)], [OK, true]);
  },
  async gzip_unary() {
    const request = Buffer.alloc(10_000, 7);
    const metadata = new grpc.Metadata();
    metadata.set("grpc-internal-encoding-request", "gzip");
    const { code, response } = await unary(path("Unary"), request, { metadata });
    assert.deepEqual([code, request.equals(response)], [OK, true]);
  },
  async status_code_and_message() {
    const { code, details } = await status(UNKNOWN, "test status message");
    assert.deepEqual([code, details], [UNKNOWN, "test status message"]);
  },
  async special_status_message() {
    const { code, details } = await status(UNKNOWN, SPECIAL);
    assert.deepEqual([code, details], [UNKNOWN, SPECIAL]);
  },
  async custom_metadata() {
    const metadata = new grpc.Metadata();
    const binary = Buffer.from([0, 0xab, 0xff, 0x0a]);
    metadata.set("x-echo-initial", "initial value");
    metadata.set("x-echo-trailing-bin", binary);
    const { code, header, metadata: trailer } = await unary(path("Unary"), Buffer.from("x"), { metadata });
    assert.equal(code, OK);
    assert.deepEqual(header.get("x-echo-initial"), ["initial value"]);
    assert.ok(binary.equals(trailer.get("x-echo-trailing-bin")[0]));
  },
  async cancel_before_begin() {
    const { code } = await streaming(path("PingPong"), (call) => call.cancel());
    assert.equal(code, CANCELLED);
  },
  async cancel_after_begin() {
    const { code } = await unary(path("Sleep"), uint32s(5_000), {
      begun: (call) => setTimeout(() => call.cancel(), 20),
    });
    assert.equal(code, CANCELLED);
  },
  async cancel_after_first_response() {
    const { code, answers } = await streaming(
      path("PingPong"),
      (call) => call.write(Buffer.from("first")),
      (call) => call.cancel(),
    );
    assert.deepEqual([code, answers.length], [CANCELLED, 1]);
  },
  async timeout_on_sleeping_server() {
    const { code } = await unary(path("Sleep"), uint32s(5_000), { options: { deadline: Date.now() + 50 } });
    assert.equal(code, DEADLINE_EXCEEDED);
  },
  async unimplemented_method() {
    assert.equal((await unary(path("Missing"), Buffer.alloc(0))).code, UNIMPLEMENTED);
  },
  async unimplemented_service() {
    assert.equal((await unary("/echo.v1.Missing/Unary", Buffer.alloc(0))).code, UNIMPLEMENTED);
  },
  async server_streaming() {
    const { code, answers } = await streaming(path("Stream"), (call) => {
      call.write(uint32s(50, 20_000));
      call.end();
    });
    assert.deepEqual([code, answers.map(({ length }) => length)], [OK, Array(50).fill(20_000)]);
  },
  async ping_pong() {
    const sizes = [27_182, 8, 1_828, 45_904];
    const { code, answers } = await streaming(
      path("PingPong"),
      (call) => call.write(Buffer.alloc(sizes[0])),
      (call, count) => count < sizes.length ? call.write(Buffer.alloc(sizes[count])) : call.end(),
    );
    assert.deepEqual([code, answers.map(({ length }) => length)], [OK, sizes]);
  },
  async empty_stream() {
    const { code, answers } = await streaming(path("PingPong"), (call) => call.end());
    assert.deepEqual([code, answers.length], [OK, 0]);
  },
};

for (const [name, run] of Object.entries(CASES)) {
  const outcome = await run().then(() => "ok", (error) => `failed ${error.message.replaceAll(/\s+/g, " ")}`);
  console.log(`${name} ${outcome}`);
}
client.close();
process.exit(0); // the timers of deadlines would keep it
