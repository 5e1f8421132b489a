/** One run: starts the stack, load and probes, injects faults, waits until all is settled, and keeps the evidence. */
import assert from "node:assert/strict";
import { eventually } from "../eventually.ts";
import { type Call, callHttp, headersOf } from "./calls.ts";
import { FILES, type Line, openHistory } from "./history.ts";
import { startLoad } from "./load.ts";
import { createPopulation } from "./operations.ts";
import { RECORDS } from "./participants.ts";
import { startProbes } from "./probes.ts";
import { createRandom, type Random } from "./random.ts";
import { type Chaos, pause } from "./schedule.ts";
import { download, keepEvidence, settle } from "./settle.ts";
import { type Stack, type StackOptions, startStack } from "./stack.ts";

export interface Suite extends
  Pick<
    StackOptions,
    | "workers"
    | "misbehavior"
    | "misbehaviors"
    | "env"
    | "envOf"
    | "preloadOf"
    | "databaseFolder"
    | "databaseSettings"
    | "prepare"
  > {
  name: string;
  clients: number;
  /** Longest pause of a client between two calls, in milliseconds. */
  pauseMs: number;
  /** Share of successful operations that are repeated under their key; 5 % by default. */
  repeated?: number;
  /** Whether shoppers open requests under the GDPR. */
  opensRequests: boolean;
  /** Number of operations that a run has at least, if the machine completes them in a minute. */
  leastOperations: number;
  /** Time in which every replica has to serve after a single fault, in milliseconds. */
  recoveryMs: number;
  /** Longest time until delayed work is done, in milliseconds. */
  settleMs: number;
  /** Time in which an erasure can be canceled, in milliseconds; absent: none. */
  graceMs?: number;
  /** Injects the faults. */
  inject(chaos: Chaos): Promise<void>;
}

export interface RunOptions {
  seed: number;
  /** Empty folder for the evidence. */
  folder: string;
  print: (line: string) => void;
  /** Ends the run early, without evidence. */
  signal?: AbortSignal;
}

/**
 * Runs a suite and keeps its evidence.
 *
 * @throws the reason of the signal
 */
export async function runSuite(suite: Suite, options: RunOptions): Promise<void> {
  const { seed, folder, signal } = options;
  await Deno.mkdir(folder, { recursive: true });
  using history = openHistory(`${folder}/${FILES.history}`);
  const { record } = history;
  const random = createRandom(seed);
  await using stack = await startStack({ ...suite, random: random.fork(1), record });
  const interrupted = Promise.withResolvers<never>();
  const interrupt = () => interrupted.reject(signal?.reason);
  signal?.addEventListener("abort", interrupt);
  if (signal?.aborted) interrupt();
  // What still runs after an interruption fails when the stack ends.
  await Promise.race([runOn(stack, suite, { ...options, random, record }), interrupted.promise]);
  signal?.removeEventListener("abort", interrupt);
}

async function runOn(
  stack: Stack,
  suite: Suite,
  { seed, folder, print, random, record }: RunOptions & { random: Random; record: (line: Line) => void },
): Promise<void> {
  print(`${suite.workers.length} replicas are ready`);
  const stores = [random.uuid(), random.uuid()];
  record({
    kind: "run",
    seed,
    suite: suite.name,
    replicas: stack.replicas.map(({ name }) => name),
    participants: stack.participants.map(({ name }) => name),
    records: RECORDS,
    recoveryMs: suite.recoveryMs,
    ...(suite.graceMs !== undefined && { graceMs: suite.graceMs }),
    startedAt: Date.now(),
  });
  await enterSettings(stack, stores, random);
  const groups = await createGroups(stack, stores, random);
  const population = createPopulation({ seed, stores, groups, opensRequests: suite.opensRequests });
  const load = startLoad({ ...suite, replicas: stack.replicas, random: random.fork(2), record }, population);
  {
    await using _probes = startProbes(stack, record);
    await suite.inject({ stack, load, random: random.fork(3), record, print });
    const limit = Date.now() + 60_000;
    while (load.count() < suite.leastOperations && Date.now() < limit) await pause(100);
    await load.stop(20_000);
    print(`${load.count()} operations are done; waiting until delayed work is done`);
    const waiting = await settle(stack, suite.settleMs);
    if (waiting !== undefined) print(waiting);
    await download(stack, 5, record);
    await settle(stack, suite.settleMs); // the events of the downloads
  }
  await endReplicas(stack, record);
  await keepEvidence(stack, folder, record);
}

/** Ends every replica in an orderly way. */
async function endReplicas({ replicas }: Stack, record: (line: Line) => void): Promise<void> {
  await Promise.all(replicas.map(async (replica) => {
    const startedAt = Date.now();
    const exitCode = await replica.stop("SIGTERM");
    const end = { target: replica.name, startedAt, endedAt: Date.now(), exitCode };
    record({ kind: "fault", name: "orderly end", ...end });
  }));
}

/** Enters what the documents of a store state. */
async function enterSettings(stack: Stack, stores: readonly string[], random: Random): Promise<void> {
  const body = {
    controller: { name: "Chaos AG", address: "Bahnhofstrasse 1, 8001 Zürich" },
    dataProtectionContact: "privacy@chaos.example",
  };
  for (const storeId of stores) {
    await ask(stack, random, storeId, { method: "PATCH", path: "/store-settings", body });
  }
}

/** Creates three shopper groups in each store. */
async function createGroups(
  stack: Stack,
  stores: readonly string[],
  random: Random,
): Promise<Record<string, string[]>> {
  const groups: Record<string, string[]> = {};
  for (const storeId of stores) {
    for (const name of ["Gold", "Silver", "Bronze"]) {
      const body = { name, priceListId: random.uuid(), priority: random.between(1, 9) };
      const group = await ask(stack, random, storeId, { method: "POST", path: "/groups", body });
      (groups[storeId] ??= []).push(group.groupId);
    }
  }
  return groups;
}

/** Sends a request as a store's manager until it is accepted: the first one waits while a replica loads its code. */
async function ask({ replicas }: Stack, random: Random, storeId: string, call: Omit<Call, "headers">) {
  const trace = random.uuid().replaceAll("-", "");
  const headers = {
    ...headersOf("STAFF", { principal: random.uuid(), storeId, trace }),
    "idempotency-key": trace,
  };
  return await eventually(async () => {
    const { answer, body } = await callHttp(replicas[0]!.http, { ...call, headers });
    assert.equal(answer, "ok", `Cannot prepare the store with ${call.path}`);
    return body;
  });
}
