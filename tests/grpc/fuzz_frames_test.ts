/**
 * Mutated frames on real sockets. FUZZ_ROUNDS says how many sequences are sent (300), FUZZ_SEED which ones. A sequence
 * that ends the server is printed as a file of corpus/frames, where it belongs once it is understood.
 */
import assert from "node:assert/strict";
import { concat, DATA, END_STREAM, frame, grpcMessage, readUint32 } from "../attack/frames.ts";
import { grpcFields, headers } from "../attack/attacks/requests.ts";
import { eventually } from "../eventually.ts";
import { ECHO_SERVICE } from "./echo_service.ts";
import { mutated, readCorpus, send, type Sequence, writeSequence } from "./fuzz_frames.ts";
import { observe, openRaw } from "./raw_client.ts";
import { REQUESTS } from "./requests.ts";
import { startTestServer, type TestServer } from "./server.ts";

const ROUNDS = Number(Deno.env.get("FUZZ_ROUNDS") ?? 300);
const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 1);
const AT_A_TIME = 10;

Deno.test("sequences of the corpus leave the server alive, healthy and without a call", async () => {
  const corpus = await readCorpus();
  assert.ok(corpus.size > 10);
  await using server = await startTestServer();
  for (const [name, sequence] of corpus) {
    await send(server.port, sequence);
    await assertAnswers(server).catch((error) => assert.fail(`${name}: ${error.message}`));
  }
  await assertHealthy(server);
});

Deno.test("mutated sequences leave the server alive, healthy and without a call", async () => {
  const corpus = [...(await readCorpus()).values()];
  await using server = await startTestServer();
  for (let round = 0; round < ROUNDS; round += AT_A_TIME) {
    const lot = Array.from({ length: AT_A_TIME }, (_, at) => mutated(corpus, SEED + round + at));
    await Promise.all(lot.map((sequence) => send(server.port, sequence)));
    await assertAnswers(server).catch(async ({ message }) => {
      assert.fail(`Seeds from ${SEED + round}: ${message}\n${await culprit(lot)}`);
    });
  }
  await assertHealthy(server);
  await eventually(async () => assert.equal(await openConnections(server), 0));
});

/** A client that is new to the server gets its answer. */
async function assertAnswers(server: TestServer): Promise<void> {
  const answer = await observe(server.port, REQUESTS["a good call"]!).catch(String);
  await server.assertAlive();
  assert.equal(answer, "200, 1 message, grpc-status 0; lives");
}

async function assertHealthy(server: TestServer): Promise<void> {
  await assertAnswers(server);
  await eventually(async () => assert.equal(await runningCalls(server.port), 0), 10_000);
}

/** Number of calls in which the server's handlers still run. */
async function runningCalls(port: number): Promise<number> {
  using client = await openRaw(port);
  const call = [headers(1, grpcFields(`${ECHO_SERVICE}Running`)), frame(DATA, END_STREAM, 1, grpcMessage())];
  await client.send(concat(call));
  const frames = await client.until(({ stream, flags }) => stream === 1 && (flags & END_STREAM) !== 0);
  const answer = frames.find(({ type, payload }) => type === DATA && payload.length === 9);
  return answer ? readUint32(answer.payload, 5) : assert.fail("no answer");
}

const LISTENING = "0A";
const WAITING_FOR_LATE_PACKETS = "06";

/** Connections that the server has not closed; 0 where the system does not say. */
async function openConnections({ pid, port }: TestServer): Promise<number> {
  if (Deno.build.os !== "linux") return 0;
  const table = await Deno.readTextFile(`/proc/${pid}/net/tcp`);
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").map((line) => line.trim().split(/ +/)).filter(([, from, , state]) =>
    from?.endsWith(local) && state !== LISTENING && state !== WAITING_FOR_LATE_PACKETS
  ).length;
}

/** The first sequence that ends a server all by itself. */
async function culprit(sequences: readonly Sequence[]): Promise<string> {
  for (const sequence of sequences) {
    await using server = await startTestServer();
    await send(server.port, sequence);
    const failed = await assertAnswers(server).then(() => false, () => true);
    if (failed) return `This one by itself:\n${writeSequence(sequence)}`;
  }
  return "None of them does it by itself.";
}
