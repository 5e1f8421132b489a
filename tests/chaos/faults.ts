/** Faults that a run can inject, each with what it takes away and how it ends. */
import postgres from "postgres";
import { childrenOf } from "../resilience/processes.ts";
import type { Fault } from "./history.ts";
import type { Random } from "./random.ts";
import type { Replica } from "./replica.ts";
import type { Stack } from "./stack.ts";
import { withTopics } from "./topics.ts";

export interface FaultKind {
  name: string;
  /** What no other fault may disturb at the same time. */
  resource: "replica" | "database" | "link" | "kafka" | "participant";
  /** Shortest and longest duration, in milliseconds. */
  holdMs: readonly [number, number];
  /** Replicas that it can affect; all by default. */
  affects?(replica: Replica): boolean;
  begin(context: FaultContext): Promise<ActiveFault>;
}

export interface FaultContext {
  stack: Stack;
  random: Random;
  /** The replica that it affects; arbitrary for faults of other resources. */
  replica: Replica;
}

export interface ActiveFault {
  target: string;
  /** Ends the fault and returns what is known about it. */
  end(): Promise<Partial<Fault>>;
}

const hasWorkers = ({ workers }: Replica) => workers > 1;

const REPLICA_FAULTS: FaultKind[] = [
  {
    name: "kill -9 a replica",
    resource: "replica",
    holdMs: [500, 4_000],
    begin: ({ replica }) => endReplica(replica, "SIGKILL", true),
  },
  {
    name: "kill -9 one of two workers",
    resource: "replica",
    holdMs: [2_000, 4_000],
    affects: hasWorkers,
    async begin({ replica, random }) {
      const worker = random.pick(await childrenOf(replica.pid() ?? 0));
      Deno.kill(worker, "SIGKILL");
      return { target: replica.name, end: () => Promise.resolve({}) };
    },
  },
  {
    name: "kill -9 the parent of workers",
    resource: "replica",
    holdMs: [500, 3_000],
    affects: hasWorkers,
    begin: ({ replica }) => endReplica(replica, "SIGKILL"),
  },
  {
    name: "SIGTERM a replica",
    resource: "replica",
    holdMs: [200, 2_000],
    begin: ({ replica }) => endReplica(replica, "SIGTERM"),
  },
  {
    name: "SIGSTOP a replica",
    resource: "replica",
    holdMs: [1_000, 20_000],
    async begin({ replica }) {
      await replica.signalAll("SIGSTOP");
      return {
        target: replica.name,
        async end() {
          await replica.signalAll("SIGCONT");
          return {};
        },
      };
    },
  },
];

async function endReplica(replica: Replica, signal: Deno.Signal, all = false): Promise<ActiveFault> {
  const exitCode = await replica.stop(signal, all);
  return {
    target: replica.name,
    async end() {
      await replica.start();
      return signal === "SIGTERM" ? { exitCode } : {};
    },
  };
}

const stopDatabase = (name: string, signal: "SIGINT" | "SIGQUIT" | "SIGKILL"): FaultKind => ({
  name,
  resource: "database",
  holdMs: [200, 5_000],
  async begin({ stack }) {
    await stack.database.stop(signal);
    return {
      target: "PostgreSQL",
      async end() {
        await stack.database.start();
        for (const { database } of stack.replicas) database.switchTo(stack.database.port());
        return {};
      },
    };
  },
});

const DATABASE_FAULTS: FaultKind[] = [
  stopDatabase("PostgreSQL fast shutdown", "SIGINT"),
  stopDatabase("PostgreSQL immediate shutdown", "SIGQUIT"),
  stopDatabase("kill -9 the postmaster", "SIGKILL"),
  {
    name: "kill -9 a PostgreSQL session",
    resource: "database",
    holdMs: [500, 1_500],
    async begin({ stack }) {
      await stack.database.killSession();
      return { target: "PostgreSQL", end: () => Promise.resolve({}) };
    },
  },
  {
    name: "PostgreSQL frozen",
    resource: "database",
    holdMs: [2_000, 15_000],
    async begin({ stack: { database } }) {
      await database.suspend();
      return {
        target: "PostgreSQL",
        async end() {
          await database.resume();
          return {};
        },
      };
    },
  },
  {
    name: "max_connections exhausted",
    resource: "database",
    holdMs: [2_000, 6_000],
    async begin({ stack }) {
      // The login may not use the connections that are reserved for superusers.
      const url = stack.database.urlAt(stack.database.port());
      const sessions: postgres.Sql[] = [];
      const take = async () => {
        const session = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
        sessions.push(session);
        return await session`select 1`.then(() => true, () => false);
      };
      while (sessions.length < 200 && await take());
      return {
        target: `PostgreSQL, ${sessions.length - 1} sessions`,
        async end() {
          await Promise.all(sessions.map((session) => session.end({ timeout: 0 })));
          return {};
        },
      };
    },
  },
];

const LINK_FAULTS: FaultKind[] = [
  {
    name: "answers of commits lost",
    resource: "link",
    holdMs: [3_000, 8_000],
    begin: ({ stack: { replicas }, random }) => loseAnswers(replicas, random, 0.3),
  },
  {
    name: "connections reset",
    resource: "link",
    holdMs: [100, 200],
    begin({ stack: { replicas } }) {
      for (const { database } of replicas) database.cut();
      return Promise.resolve({ target: "all links", end: () => Promise.resolve({}) });
    },
  },
  {
    name: "link refused",
    resource: "link",
    holdMs: [2_000, 6_000],
    begin: ({ replica: { name, database } }) => {
      database.refuse(true);
      const end = () => {
        database.refuse(false);
        return Promise.resolve({});
      };
      return Promise.resolve({ target: name, end });
    },
  },
  {
    name: "link silent, then continued",
    resource: "link",
    holdMs: [3_000, 15_000],
    begin: ({ replica }) => Promise.resolve(silence(replica, false)),
  },
  {
    name: "link silent, then reset",
    resource: "link",
    holdMs: [3_000, 15_000],
    begin: ({ replica }) => Promise.resolve(silence(replica, true)),
  },
];

/** Loses the answers to a share of the commits of all replicas. */
export function loseAnswers(
  replicas: readonly Replica[],
  random: Random,
  share: number,
): Promise<ActiveFault> {
  const lost = () => replicas.reduce((sum, { database }) => sum + database.lost(), 0);
  const before = lost();
  for (const { database } of replicas) database.loseAnswers(() => random.chance(share));
  return Promise.resolve({
    target: "all links",
    end() {
      for (const { database } of replicas) database.loseAnswers(() => false);
      return Promise.resolve({ lostAnswers: lost() - before });
    },
  });
}

function silence({ name, database }: Replica, reset: boolean): ActiveFault {
  database.silence(true);
  return {
    target: name,
    end() {
      if (reset) database.cut();
      database.silence(false);
      return Promise.resolve({});
    },
  };
}

const stopBroker = (name: string, signal: "SIGTERM" | "SIGKILL"): FaultKind => ({
  name,
  resource: "kafka",
  holdMs: [500, 4_000],
  async begin({ stack: { broker } }) {
    await broker.stop(signal);
    return {
      target: "Kafka",
      async end() {
        await broker.start();
        return {};
      },
    };
  },
});

const KAFKA_FAULTS: FaultKind[] = [
  {
    name: "Kafka SIGSTOP",
    resource: "kafka",
    holdMs: [3_000, 15_000],
    begin({ stack: { broker } }) {
      broker.suspend();
      const end = () => {
        broker.resume();
        return Promise.resolve({});
      };
      return Promise.resolve({ target: "Kafka", end });
    },
  },
  stopBroker("Kafka SIGTERM", "SIGTERM"),
  stopBroker("Kafka kill -9", "SIGKILL"),
  {
    name: "one topic refuses",
    resource: "kafka",
    holdMs: [8_000, 12_000],
    async begin({ stack: { broker }, random }) {
      const topic = random.pick(["customer.updated", "audit.event", "customer.created"]);
      await withTopics(broker.brokers, ({ limit }) => limit(topic, 10));
      return {
        target: topic,
        async end() {
          await withTopics(broker.brokers, ({ limit }) => limit(topic, 1_000_000));
          return {};
        },
      };
    },
  },
  {
    name: "topic deleted",
    resource: "kafka",
    holdMs: [2_000, 4_000],
    async begin({ stack: { broker } }) {
      const topic = "customer.group_removed";
      await withTopics(broker.brokers, ({ remove }) => remove(topic));
      return { target: topic, end: () => Promise.resolve({}) };
    },
  },
];

const PARTICIPANT_FAULTS: FaultKind[] = [
  {
    name: "participant frozen",
    resource: "participant",
    holdMs: [3_000, 12_000],
    begin({ stack: { participants }, random }) {
      const { name, proxy } = random.pick(participants);
      proxy.hold(true);
      const end = () => {
        proxy.hold(false);
        return Promise.resolve({});
      };
      return Promise.resolve({ target: name, end });
    },
  },
  {
    name: "participant killed",
    resource: "participant",
    holdMs: [2_000, 8_000],
    async begin({ stack: { participants }, random }) {
      const { name, proxy, goAway, comeBack } = random.pick(participants);
      await goAway();
      proxy.cut();
      return {
        target: name,
        async end() {
          await comeBack();
          return {};
        },
      };
    },
  },
];

export const FAULTS: readonly FaultKind[] = [
  ...REPLICA_FAULTS,
  ...DATABASE_FAULTS,
  ...LINK_FAULTS,
  ...KAFKA_FAULTS,
  ...PARTICIPANT_FAULTS,
];

/** @throws the name is unknown */
export function faultNamed(name: string): FaultKind {
  const kind = FAULTS.find((kind) => kind.name === name);
  if (!kind) throw new Error(`Cannot inject "${name}": there is no such fault`);
  return kind;
}
