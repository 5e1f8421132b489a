/** Load of a run: clients that change and read customers at random replicas, and shoppers with their requests. */
import { callHttp, createLookups, headersOf } from "./calls.ts";
import type { Attempt, Line, Operation, Read } from "./history.ts";
import { type Customer, drawOperation, type Plan, type Population } from "./operations.ts";
import type { Random } from "./random.ts";

export interface LoadOptions {
  replicas: readonly { name: string; http: number; grpc: number }[];
  clients: number;
  random: Random;
  record: (line: Line) => void;
  /** Longest pause between the calls of a client, in milliseconds. */
  pauseMs: number;
  /** Share of successful operations that are repeated once more under their key. */
  repeated?: number;
}

export interface Load {
  /** Number of operations that have completed. */
  count(): number;
  /** Number of attempts at a replica that were served since a time. */
  servedSince(replica: string, since: number): boolean;
  /** Starts no more operations; those in flight end, and clients that insist give up at the deadline. */
  stop(deadlineMs: number): Promise<void>;
}

/** Share of operations whose client insists, and of successful ones that are repeated once more. */
const INSISTING = 0.75;
const REPEATED = 0.05;
const RETRY_MS = 250;
/** Answers after which the operation may have been applied. */
const UNCLEAR = /^(UNAVAILABLE|CUT|TIMEOUT|MALFORMED|INTERNAL.*|HTTP_.*|RATE_LIMITED)$/;

interface World extends LoadOptions {
  population: Population;
  /** Time of the last served attempt by replica. */
  served: Map<string, number>;
  stopping: AbortSignal;
  givingUp: AbortSignal;
  lookups: ReturnType<typeof createLookups>;
}

export function startLoad(options: LoadOptions, population: Population): Load {
  const stopping = new AbortController();
  const givingUp = new AbortController();
  let completed = 0;
  const world: World = {
    ...options,
    population,
    served: new Map(),
    stopping: stopping.signal,
    givingUp: givingUp.signal,
    lookups: createLookups(),
  };
  const clients = Array.from({ length: options.clients }, async (_, client) => {
    const random = options.random.fork(client + 1);
    while (!stopping.signal.aborted) {
      if (random.chance(0.45)) await read(world, random);
      else {
        await operate(world, client, random);
        completed++;
      }
      await pause(random.between(0, options.pauseMs));
    }
  });
  const ended = Promise.all(clients);
  return {
    count: () => completed,
    servedSince: (replica, since) => (world.served.get(replica) ?? 0) > since,
    async stop(deadlineMs) {
      stopping.abort();
      const timer = setTimeout(() => givingUp.abort(), deadlineMs);
      await ended;
      clearTimeout(timer);
      world.lookups[Symbol.dispose]();
    },
  };
}

async function operate(world: World, client: number, random: Random): Promise<void> {
  const { population } = world;
  const plan = drawOperation(population, random);
  if (!plan) return;
  const insists = random.chance(INSISTING);
  const { call, onSuccess: _, principalType, ...facts } = plan;
  const operation: Operation = {
    kind: "operation",
    client,
    mayChangeNothing: false,
    ...facts,
    insists,
    trace: random.uuid().replaceAll("-", ""),
    outcome: "unsent",
    attempts: [],
    startedAt: Date.now(),
    endedAt: 0,
  };
  const headers = {
    ...headersOf(principalType, operation),
    ...call.headers,
    ...(insists && { "idempotency-key": `operation-${operation.id}` }),
  };
  const send = async () => {
    const { name, http } = random.pick(world.replicas);
    const at = Date.now();
    const answer = await callHttp(http, { ...call, headers });
    const attempt: Attempt = { at, ms: Date.now() - at, replica: name, answer: answer.answer };
    operation.attempts.push(attempt);
    if (isServed(attempt.answer)) world.served.set(name, at + attempt.ms);
    return answer;
  };
  for (;;) {
    const { answer, body, version } = await send();
    operation.outcome = outcomeOf(operation.attempts, answer);
    if (answer === "ok") {
      const found = plan.onSuccess?.(body) ?? {};
      Object.assign(operation, version !== undefined && { version }, found);
    }
    const isDone = operation.outcome === "ok" || (operation.outcome === "refused") ||
      !UNCLEAR.test(answer) && answer !== "UNREACHED";
    if (isDone || !insists || world.givingUp.aborted) break;
    await pause(RETRY_MS);
  }
  if (insists && operation.outcome === "ok" && random.chance(world.repeated ?? REPEATED)) {
    const { answer, version } = await send();
    if (answer === "ok" && version !== undefined) operation.versionRepeated = version;
  }
  operation.endedAt = Date.now();
  world.record(operation);
}

/** A refusal after an attempt that may have been applied is no proof that none was. */
export function outcomeOf(attempts: readonly Attempt[], last: string): Operation["outcome"] {
  if (last === "ok") return "ok";
  if (attempts.every(({ answer }) => answer === "UNREACHED")) return "unsent";
  return attempts.some(({ answer }) => UNCLEAR.test(answer)) ? "unknown" : "refused";
}

/** Whether the replica has served the request, be it with a refusal. */
export function isServed(answer: string): boolean {
  return answer !== "UNREACHED" && !UNCLEAR.test(answer) && answer !== "DEADLINE_EXCEEDED" &&
    answer !== "RESOURCE_EXHAUSTED";
}

async function read(world: World, random: Random): Promise<void> {
  const customer = world.population.draw(random);
  if (!customer) return;
  const { name, http, grpc } = random.pick(world.replicas);
  const method = random.pick(["getCustomer", "GetCustomerSnapshot", "GetCustomerGroups"] as const);
  const startedAt = Date.now();
  const found = method === "getCustomer"
    ? await getCustomer(http, customer, random)
    : await world.lookups.look(grpc, method, customer);
  const endedAt = Date.now();
  if (isServed(found.answer)) world.served.set(name, endedAt);
  const { storeId, customerId } = customer;
  world.record({ kind: "read", method, replica: name, storeId, customerId, startedAt, endedAt, ...found });
}

async function getCustomer(
  port: number,
  { storeId, customerId }: Customer,
  random: Random,
): Promise<Pick<Read, "answer" | "version" | "values">> {
  const trace = random.uuid().replaceAll("-", "");
  const headers = headersOf("STAFF", { principal: random.uuid(), storeId, trace });
  const { answer, body } = await callHttp(port, { method: "GET", path: `/customers/${customerId}`, headers });
  if (answer !== "ok") return { answer };
  const { version, status, email = null, firstName = null, lastName = null } = body;
  return { answer, version, values: { status, email, firstName, lastName } };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export type { Plan };
