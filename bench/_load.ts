/**
 * Load generator process: reads a job as JSON from its first argument, sends calls to the server, and prints the
 * results as one line of JSON.
 */
import { connect, type Connection } from "./_http2.ts";
import { type LoadResult, Timings } from "./_timings.ts";

export interface Job {
  port: number;
  path: string;
  /** Additional headers of every call. */
  headers?: Record<string, string>;
  /** A file of concatenated requests of equal length. */
  requests: string;
  requestLength: number;
  connections: number;
  /** Closed loop: calls in flight per connection. */
  inFlight?: number;
  /** Open loop: calls per second over all connections, due at regular times, independent of responses. */
  rate?: number;
  seconds: number;
  /** Seconds before the measurement. */
  warmUp: number;
}

/** Streams of a connection in the open loop. Further calls wait, and their time counts: servers allow 100 or more. */
const MAX_STREAMS = 90;
/** Time for the last answers, in milliseconds. */
const LIMIT_MS = 10_000;

async function run(job: Job): Promise<LoadResult> {
  const requests = await Deno.readFile(job.requests);
  const count = requests.length / job.requestLength;
  const draw = () => {
    const at = Math.floor(Math.random() * count) * job.requestLength;
    return requests.subarray(at, at + job.requestLength);
  };
  const settings = { ...job, messageLength: job.requestLength };
  const connections = await Promise.all(Array.from({ length: job.connections }, () => connect(settings)));
  const timings = new Timings(job);
  const cut = setTimeout(
    () => connections.forEach((connection) => connection.close()),
    (job.warmUp + job.seconds) * 1_000 + LIMIT_MS,
  );
  const drive = job.rate === undefined ? closedLoop : openLoop;
  await drive(connections, job, { draw, timings });
  clearTimeout(cut);
  return timings.result();
}

interface Drive {
  draw(): Uint8Array;
  timings: Timings;
}

/** Closed loop: each response triggers the next call, so the number in flight is constant. */
async function closedLoop(connections: Connection[], job: Job, { draw, timings }: Drive): Promise<void> {
  await Promise.all(connections.map(async (connection) => {
    const sent = new Map<number, number>();
    const call = () => sent.set(connection.call(draw()), performance.now());
    for (let n = 0; n < job.inFlight!; n++) call();
    await connection.flush();
    for await (const lot of answersOf(connection)) {
      for (const { stream, answered } of lot) {
        timings.add(sent.get(stream)!, answered);
        sent.delete(stream);
        if (performance.now() < timings.until) call();
      }
      if (sent.size === 0) return connection.close();
      await connection.flush();
    }
    for (const due of sent.values()) timings.add(due, false);
  }));
}

/** Open loop: sends calls when they are due, round-robin over the connections. Latencies begin at that time. */
async function openLoop(connections: Connection[], job: Job, { draw, timings }: Drive): Promise<void> {
  const { until } = timings;
  const lanes = connections.map((connection) => ({
    connection,
    sent: new Map<number, number>(),
    owed: [] as number[],
  }));
  type Lane = typeof lanes[number];
  const send = ({ connection, sent, owed }: Lane) => {
    while (owed.length > 0 && sent.size < MAX_STREAMS) sent.set(connection.call(draw()), owed.shift()!);
    return connection.flush().catch(() => {}); // a closed connection ends its read loop
  };
  const listening = lanes.map(async (lane) => {
    for await (const lot of answersOf(lane.connection)) {
      for (const { stream, answered } of lot) {
        timings.add(lane.sent.get(stream)!, answered);
        lane.sent.delete(stream);
      }
      await send(lane);
      if (performance.now() >= until && lane.sent.size === 0 && lane.owed.length === 0) break;
    }
    for (const due of [...lane.sent.values(), ...lane.owed]) timings.add(due, false);
    lane.connection.close();
  });
  const everyMs = 1_000 / job.rate!;
  let turn = 0;
  for (let due = performance.now(); due < until;) {
    const touched = new Set<Lane>();
    for (const now = performance.now(); due <= now && due < until; due += everyMs) {
      const lane = lanes[turn++ % lanes.length]!;
      lane.owed.push(due);
      touched.add(lane);
    }
    await Promise.all([...touched].map(send));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
  }
  // One more call per connection, because an idle connection would never leave its read loop.
  for (const lane of lanes) lane.owed.push(until);
  await Promise.all(lanes.map(send));
  await Promise.all(listening);
}

/** Answers of a connection; ends when it is closed. */
async function* answersOf(connection: Connection) {
  try {
    yield* connection.ended();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) throw error;
  }
}

if (import.meta.main) {
  const job = JSON.parse(Deno.args[0] ?? "") as Job;
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(await run(job)) + "\n"));
  Deno.exit();
}
