/** Everything that a run needs: PostgreSQL, Kafka, replicas in production mode, and participants. */
import postgres from "postgres";
import type { Sql } from "../../db/connect.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { eventually } from "../eventually.ts";
import { type Broker, startBroker } from "../kafka/broker.ts";
import { freePort } from "../ports.ts";
import { production, TRUSTING } from "../production.ts";
import { createServer, type DatabaseServer, openServer } from "./database.ts";
import { type Line, SELF_END } from "./history.ts";
import { type Misbehavior, type Participant, startParticipants } from "./participants.ts";
import { startDatabaseProxy } from "./proxy.ts";
import type { Random } from "./random.ts";
import { copyAsStandby } from "../standby.ts";
import { createReplica, type Replica } from "./replica.ts";
import { withTopics } from "./topics.ts";

export interface Stack extends AsyncDisposable {
  /** The server to which the replicas' proxies lead; a failover replaces it. */
  database: DatabaseServer;
  /** Starts a hot standby of the present server. It ends with the stack. */
  startStandby(): Promise<DatabaseServer>;
  broker: Broker;
  replicas: Replica[];
  participants: Participant[];
  /** Asks PostgreSQL as a superuser, past the proxies. */
  ask<T>(use: (sql: Sql) => Promise<T>): Promise<T>;
}

export interface StackOptions {
  /** Number of workers of each replica. */
  workers: readonly number[];
  random: Random;
  misbehavior: number;
  misbehaviors?: readonly Misbehavior[];
  record: (line: Line) => void;
  /** Folder of PostgreSQL's data; by default a temporary one. */
  databaseFolder?: string;
  databaseSettings?: Record<string, string>;
  /** Prepares PostgreSQL before the replicas start. */
  prepare?(database: DatabaseServer): Promise<void>;
  /** More variables for all replicas, and for single ones by name. */
  env?: Record<string, string>;
  envOf?: Record<string, Record<string, string>>;
  /** Modules that single replicas evaluate first, by name. */
  preloadOf?: Record<string, string>;
}

/** Names of replicas, in order. */
export const NAMES = ["a", "b", "c", "d"];

export async function startStack(options: StackOptions): Promise<Stack> {
  await using stack = new AsyncDisposableStack();
  const folder = options.databaseFolder ?? stack.adopt(
    await temporaryFolder(),
    (folder) => Deno.remove(folder, { recursive: true }),
  );
  const [database, broker] = await Promise.all([
    createServer(folder, options.databaseSettings),
    startBroker(),
  ]);
  const running = { database };
  stack.use(database);
  stack.use(broker);
  await options.prepare?.(database);
  // A broker that has just started may not know its leaders yet.
  await eventually(() => withTopics(broker.brokers, ({ createAll }) => createAll()));
  const places = options.workers.map((workers, index) => ({
    name: NAMES[index]!,
    workers,
    http: freePort(),
    grpc: freePort(),
    database: stack.use(startDatabaseProxy(database.port())),
  }));
  const participants = stack.use(
    await startParticipants({
      ...options,
      names: PARTICIPANTS,
      brokers: broker.brokers,
      grpc: () => places.map(({ grpc }) => grpc),
    }),
  );
  const keys = production("");
  const replicas = places.map((place) =>
    createReplica({
      ...place,
      onSelfEnd(target, exitCode) {
        const at = Date.now();
        options.record({ kind: "fault", name: SELF_END, target, startedAt: at, endedAt: at, exitCode });
      },
      ...(options.preloadOf?.[place.name] && { preload: options.preloadOf[place.name] }),
      env: {
        ...keys,
        ...TRUSTING,
        DATABASE_URL: database.urlAt(place.database.port),
        KAFKA_BROKERS: broker.brokers,
        KAFKA_PARTITIONS: "3",
        KAFKA_REPLICATION_FACTOR: "1",
        GDPR_FETCH_WAIT: "0s",
        GDPR_FOUR_EYES: "false",
        GRPC_CALLERS_CONFIRM_ERASURE: PARTICIPANTS.join(),
        ...peerUrls(participants.participants),
        ...options.env,
        ...options.envOf?.[place.name],
      },
    })
  );
  for (const replica of replicas) {
    stack.defer(async () => {
      await replica.signalAll("SIGCONT");
      await replica.stop("SIGKILL");
    });
  }
  await Promise.all(replicas.map((replica) => replica.start()));
  const started = stack.move();
  return Object.assign(running, {
    broker,
    replicas,
    participants: participants.participants,
    async startStandby() {
      const home = started.adopt(
        await temporaryFolder(),
        (folder) => Deno.remove(folder, { recursive: true }),
      );
      const { database: { folder } } = running;
      const settings = await copyAsStandby({ adminUrl: running.database.adminUrl(), folder }, home);
      return started.use(await openServer(home, settings));
    },
    ask: <T>(use: (sql: Sql) => Promise<T>) => askServer(running.database, use),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  });
}

/** A folder that PostgreSQL's user can enter. */
async function temporaryFolder(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "customer-service-chaos-" });
  await Deno.chmod(folder, 0o711);
  return folder;
}

/** Asks a server as its superuser; rows have the column names of the database. */
export async function askServer<T>(server: DatabaseServer, use: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(server.adminUrl(), { max: 1, connect_timeout: 5, onnotice: () => {} });
  return await use(sql as Sql).finally(() => sql.end({ timeout: 1 }));
}

function peerUrls(participants: readonly Participant[]): Record<string, string> {
  return Object.fromEntries(
    participants.map(({ name, proxy }) => [
      `PEER_${name.toUpperCase().replaceAll("-", "_")}_URL`,
      `http://127.0.0.1:${proxy.port}`,
    ]),
  );
}
