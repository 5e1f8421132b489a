/**
 * Load generator process: reads a job as JSON from its first argument, sends calls to the server, and prints the
 * results as one line of JSON.
 */
import { connect, type Connection } from "./_http2.ts";

export interface Job {
  port: number;
  path: string;
  /** A file of concatenated requests of equal length. */
  requests: string;
  requestLength: number;
  connections: number;
  /** Closed loop: calls in flight per connection. */
  inFlight?: number;
  /** Open loop: calls per second over all connections, sent at regular times, independent of responses. */
  rate?: number;
  seconds: number;
  /** Seconds before the measurement. */
  warmUp: number;
}

export interface LoadResult {
  callsPerSecond: number;
  failed: number;
  /** Milliseconds. In open loop since the call was due, not since it was sent. */
  p50: number;
  p99: number;
}

async function run(job: Job): Promise<LoadResult> {
  const requests = await Deno.readFile(job.requests);
  const count = requests.length / job.requestLength;
  const draw = () => {
    const at = Math.floor(Math.random() * count) * job.requestLength;
    return requests.subarray(at, at + job.requestLength);
  };
  const latencies: number[] = [];
  let failed = 0;
  const from = performance.now() + job.warmUp * 1_000;
  const until = from + job.seconds * 1_000;
  const done = (due: number, answered: boolean) => {
    const now = performance.now();
    if (now < from || now >= until) return;
    latencies.push(now - due);
    if (!answered) failed++;
  };
  const connections = await Promise.all(
    Array.from({ length: job.connections }, () => connect(job.port, job.path, job.requestLength)),
  );
  const drive = job.rate === undefined ? closedLoop : openLoop;
  await drive(connections, job, { draw, done, until });
  for (const connection of connections) connection.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? NaN;
  return { callsPerSecond: latencies.length / job.seconds, failed, p50: at(0.5), p99: at(0.99) };
}

interface Drive {
  draw(): Uint8Array;
  done(due: number, answered: boolean): void;
  until: number;
}

/** Closed loop: each response triggers the next call, so the number in flight is constant. */
async function closedLoop(connections: Connection[], job: Job, { draw, done, until }: Drive): Promise<void> {
  await Promise.all(connections.map(async (connection) => {
    const sent = new Map<number, number>();
    const call = () => sent.set(connection.call(draw()), performance.now());
    for (let n = 0; n < job.inFlight!; n++) call();
    await connection.flush();
    for await (const lot of connection.ended()) {
      for (const { stream, answered } of lot) {
        done(sent.get(stream)!, answered);
        sent.delete(stream);
        if (performance.now() < until) call();
      }
      if (sent.size === 0) return;
      await connection.flush();
    }
  }));
}

/** Open loop: sends calls when they are due, round-robin over the connections. */
async function openLoop(connections: Connection[], job: Job, { draw, done, until }: Drive): Promise<void> {
  const sent = connections.map(() => new Map<number, number>());
  const listening = connections.map(async (connection, at) => {
    for await (const lot of connection.ended()) {
      for (const { stream, answered } of lot) {
        done(sent[at]!.get(stream)!, answered);
        sent[at]!.delete(stream);
      }
      await connection.flush();
      if (performance.now() >= until && sent[at]!.size === 0) return;
    }
  });
  const everyMs = 1_000 / job.rate!;
  let turn = 0;
  for (let due = performance.now(); due < until;) {
    const touched = new Set<Connection>();
    for (const now = performance.now(); due <= now && due < until; due += everyMs) {
      const at = turn++ % connections.length;
      sent[at]!.set(connections[at]!.call(draw()), due);
      touched.add(connections[at]!);
    }
    await Promise.all([...touched].map((connection) => connection.flush()));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
  }
  // One more call per connection, because an idle connection would never leave its read loop.
  for (const [at, connection] of connections.entries()) {
    sent[at]!.set(connection.call(draw()), until);
    await connection.flush();
  }
  await Promise.all(listening);
}

if (import.meta.main) {
  const job = JSON.parse(Deno.args[0] ?? "") as Job;
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(await run(job)) + "\n"));
  Deno.exit();
}
