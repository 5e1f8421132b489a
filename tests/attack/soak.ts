// deno-lint-ignore-file no-console -- what a task prints is its result
/**
 * `deno task soak`: many gRPC calls while other clients are killed during calls or read slowly. Prints responses,
 * failures and memory over time. Exits with 1 if a call has failed, the process has exited, or memory has grown. Linux
 * only.
 */
import { parseArgs } from "node:util";
import { memory } from "../../bench/_processes.ts";
import type { Order } from "./attacker.ts";
import type { Progress, SoakOrder } from "./soak_client.ts";
import { pause } from "./target.ts";
import { prepareGround, type Victim } from "./victim.ts";

const { values } = parseArgs({
  options: { calls: { type: "string", default: "20000" }, database: { type: "string" } },
});

const CLIENTS = 2;
const WIDTH = 16;
const KILLED_AFTER_MS = 1_000;
const SAMPLE_MS = 250;
const SAMPLES_A_LINE = 8;
/**
 * Allowed growth of memory in megabytes, between the minimum during the second to fourth tenth of the calls and the
 * minimum during the last quarter. Minima, because garbage collection makes memory fluctuate.
 */
const GROWTH_MB = 64;
const DAY_MS = 86_400_000;

async function main(): Promise<number> {
  const calls = Number(values.calls);
  if (!(calls >= 100)) {
    console.error("Cannot soak: --calls must be a number of at least 100");
    return 2;
  }
  await using ground = await prepareGround(values.database);
  await using victim = await ground.victim();
  const { service, visit } = victim;
  let died = false;
  service.ended().then(() => died = true);
  const steady = Array.from(
    { length: CLIENTS },
    () => startClient({ visit, calls: calls / CLIENTS, width: WIDTH }),
  );
  const over = new AbortController();
  const killed = killClients(victim, over.signal);
  const slow = readSlowly(victim);
  const total = () => {
    const reports = steady.map(({ progress }) => progress());
    const sum = (of: (progress: Progress) => number) => reports.reduce((all, one) => all + of(one), 0);
    return { answered: sum(({ answered }) => answered), failed: sum(({ failed }) => failed) };
  };
  const begun = performance.now();
  const seen: { share: number; rss: number }[] = [];
  const look = async () => {
    const rss = (await memory(service.pid).catch(() => ({ resident: NaN }))).resident;
    const { answered, failed } = total();
    seen.push({ share: answered / calls, rss });
    if (seen.length % SAMPLES_A_LINE !== 0 && answered < calls) return;
    const seconds = ((performance.now() - begun) / 1_000).toFixed(0);
    console.log(`| ${seconds} | ${answered} | ${failed} | ${rss.toFixed(0)} |`);
  };
  console.log("| s | answered | failed | RSS MB |\n| --- | --- | --- | --- |");
  const timer = setInterval(look, SAMPLE_MS);
  await Promise.all(steady.map(({ ended }) => ended));
  clearInterval(timer);
  over.abort();
  slow.kill("SIGKILL");
  await slow.status;
  await look();
  const { answered, failed } = total();
  const lowest = (from: number, to: number) =>
    Math.min(...seen.filter(({ share }) => share >= from && share <= to).map(({ rss }) => rss));
  const growth = lowest(0.75, 1) - lowest(0.1, 0.4);
  const reason = steady.map(({ progress }) => progress().reason).find((reason) => reason);
  console.log(
    `\n${answered} of ${calls} answered, ${failed} failed${reason ? ` (${reason})` : ""}; ` +
      `${await killed} clients killed; memory ${growth < 0 ? "" : "+"}${growth.toFixed(0)} MB; ` +
      (died ? "the process ended" : "the process lives"),
  );
  return died || failed > 0 || answered < calls || growth > GROWTH_MB ? 1 : 0;
}

function startClient(order: SoakOrder) {
  const process = start("soak_client.ts", order);
  let last: Progress = { answered: 0, failed: 0 };
  const read = async () => {
    let rest = "";
    for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      const line = lines.at(-1);
      if (line) last = JSON.parse(line);
    }
    await process.status;
  };
  return { progress: () => last, ended: read(), process };
}

/** Starts clients one after another, kills each during its calls, and counts them. */
async function killClients({ visit }: Victim, signal: AbortSignal): Promise<number> {
  let count = 0;
  while (!signal.aborted) {
    const { process, ended } = startClient({ visit, calls: Number.MAX_SAFE_INTEGER, width: WIDTH });
    await pause(KILLED_AFTER_MS);
    try {
      process.kill("SIGKILL");
      count++;
    } catch { /* it has ended with the service */ }
    await ended;
  }
  return count;
}

/** Clients that send requests and read one byte of the responses from time to time. */
function readSlowly({ visit, tokens }: Victim): Deno.ChildProcess {
  const order: Order = {
    name: "grpc-slow-reader",
    port: visit.grpcPort,
    from: "127.0.0.2",
    tokens,
    durationMs: DAY_MS,
  };
  return start("attacker.ts", order);
}

function start(script: string, order: unknown): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL(script, import.meta.url).pathname, JSON.stringify(order)],
    stdin: "null",
    stdout: "piped",
  }).spawn();
}

Deno.exit(await main());
