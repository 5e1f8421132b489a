/** Measures one attack on a new service: CPU time, memory, and the effect on an innocent client. */
import { cpuMicroseconds, memory } from "../../bench/_processes.ts";
import type { Attack } from "./attacks/mod.ts";
import type { Order } from "./attacker.ts";
import type { Question, Sample, Visit } from "./innocent.ts";
import { type Counts, pause } from "./target.ts";
import type { Ground, Victim } from "./victim.ts";

const INNOCENT_ADDRESS = "127.0.0.1";
const OTHER_ADDRESS = "127.0.0.2";
/** Time for the innocent client to connect and for the JIT. */
const WARM_UP_MS = 3_000;
/** Time after the attack for its remaining work, during which the innocent client is still measured. */
const SETTLE_MS = 4_000;
const SAMPLE_MS = 100;
/** Time for the attacker's start and exit on a busy machine. */
const ATTACKER_LATE_MS = 30_000;

export interface Result {
  name: string;
  port: string;
  token: string | undefined;
  sameAddress: boolean;
  /** Whether the process was alive at the end. */
  lived: boolean;
  /** Output of the process if it has exited by itself. */
  lastWords: string | undefined;
  cpuSeconds: number;
  /** Megabytes. */
  rss: { before: number; peak: number; after: number };
  innocent: Record<Question, Latency>;
  /** Lines that the service has printed, errors included. */
  logLines: number;
  attack: Counts | undefined;
}

export interface Latency {
  asked: number;
  failed: number;
  /** Latencies of all requests in milliseconds. A failure counts as Infinity, `null` in JSON. */
  p50: number;
  p99: number;
  /** The most frequent reason of a failure. */
  failure: string | undefined;
}

/** @param attack undefined for a baseline without an attack */
export async function measure(
  ground: Ground,
  attack: Attack | undefined,
  durationMs: number,
): Promise<Result> {
  await using victim = await ground.victim();
  const { service } = victim;
  let last: string | undefined;
  service.exited().then(({ stderr, code, signal }) => last = `${signal ?? code}: ${stderr.trim()}`);
  await using bystander = await startBystander();
  const innocent = startInnocent({ ...victim.visit, bystanderPort: bystander.port });
  await pause(WARM_UP_MS);
  const used = await usage(service.pid);
  const [before, printedLength, begun] = [used.rss, service.output().length, Date.now()];
  const rss = watchMemory(service.pid);
  const attacked = attack ? await runAttacker(attack, victim, durationMs) : await pause(durationMs);
  await pause(SETTLE_MS);
  const after = await usage(service.pid).catch(() => undefined);
  const peak = rss.stop();
  const samples = await innocent.leave();
  const ended = last as string | undefined;
  const lines = service.output().slice(printedLength).split("\n").length - 1;
  const { stderr } = await service.stop("SIGTERM"); // only errors are written there
  return {
    name: attack?.name ?? "baseline",
    port: attack?.port ?? "",
    token: attack?.token,
    sameAddress: attack?.sameAddress ?? false,
    lived: ended === undefined,
    lastWords: ended?.slice(0, 2_000),
    cpuSeconds: after ? (after.cpu - used.cpu) / 1e6 : NaN,
    rss: { before, peak, after: after?.rss ?? NaN },
    innocent: latencies(samples.filter(([, at]) => at >= begun)),
    logLines: lines + stderr.split("\n").length - 1,
    attack: attacked ?? undefined,
  };
}

async function usage(pid: number) {
  return { cpu: await cpuMicroseconds(pid), rss: (await memory(pid)).resident };
}

function watchMemory(pid: number) {
  let peak = 0;
  const timer = setInterval(async () => {
    const { resident } = await memory(pid).catch(() => ({ resident: 0 }));
    peak = Math.max(peak, resident);
  }, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      return peak;
    },
  };
}

async function startBystander() {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL("bystander.ts", import.meta.url).pathname],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await output.read();
  return {
    port: Number(value),
    async [Symbol.asyncDispose]() {
      await process.stdin.close();
      await output.cancel();
      await process.status;
    },
  };
}

function startInnocent(visit: Visit) {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL("innocent.ts", import.meta.url).pathname, JSON.stringify(visit)],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  return {
    async leave(): Promise<Sample[]> {
      await process.stdin.close();
      return JSON.parse(await new Response(process.stdout).text());
    },
  };
}

async function runAttacker(attack: Attack, { visit, tokens }: Victim, durationMs: number): Promise<Counts> {
  const order: Order = {
    name: attack.name,
    port: attack.port === "http" ? visit.httpPort : visit.grpcPort,
    from: attack.sameAddress ? INNOCENT_ADDRESS : OTHER_ADDRESS,
    tokens,
    durationMs,
  };
  const script = new URL("attacker.ts", import.meta.url).pathname;
  const { stdout } = await new Deno.Command("nice", {
    args: ["-n", "10", Deno.execPath(), "run", "-A", "--quiet", script, JSON.stringify(order)],
    stdin: "null",
    stderr: "inherit",
    signal: AbortSignal.timeout(durationMs + ATTACKER_LATE_MS),
  }).output();
  if (stdout.length === 0) {
    throw new Error(`Cannot measure ${attack.name}: the attacker has not ended in time`);
  }
  return JSON.parse(new TextDecoder().decode(stdout));
}

const QUESTIONS: Question[] = ["bystander", "me", "healthz", "rest", "groups", "fresh me", "fresh groups"];

function latencies(samples: Sample[]): Record<Question, Latency> {
  const of = (question: Question): Latency => {
    const asked = samples.filter(([name]) => name === question);
    const failures = asked.flatMap(([, , , failure]) => failure ?? []);
    const ms = asked.map(([, , ms, failure]) => failure ? Infinity : ms).sort((a, b) => a - b);
    return {
      asked: asked.length,
      failed: failures.length,
      p50: percentile(ms, 0.5),
      p99: percentile(ms, 0.99),
      failure: mostFrequent(failures),
    };
  };
  return Object.fromEntries(QUESTIONS.map((question) => [question, of(question)])) as Record<
    Question,
    Latency
  >;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Infinity;
}

function mostFrequent(values: readonly string[]): string | undefined {
  const groups = [...Map.groupBy(values, (value) => value)];
  return groups.sort(([, a], [, b]) => b.length - a.length)[0]?.[0];
}
