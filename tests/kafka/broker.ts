/** Real Apache Kafka for tests: one node in KRaft mode, on free loopback ports. */
import { exists, findKafka, type Installation } from "./installation.ts";
import { freePort } from "../ports.ts";

export interface Broker extends AsyncDisposable {
  /** host:port for clients; the same after every start. */
  brokers: string;
  /** Stops the broker: SIGTERM in an orderly way, SIGKILL at once. Returns when the process has exited. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts a stopped broker again on the same data. */
  start(): Promise<void>;
  /** Suspends the broker, which then accepts connections but does not respond. */
  suspend(): void;
  resume(): void;
}

export type BrokerSettings = Record<string, string | number>;

/** Generous, because a loaded machine starts a JVM slowly. */
const START_LIMIT_MS = 180_000;
const QUICK_JVM = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/**
 * @param folder data folder; by default a temporary one, which is removed with the broker
 * @param settings additional broker settings; `listeners` are added to the broker's own
 */
export async function startBroker(folder?: string, settings: BrokerSettings = {}): Promise<Broker> {
  await using stack = new AsyncDisposableStack();
  const installation = await findKafka();
  const home = folder ?? stack.adopt(
    await Deno.makeTempDir({ prefix: "customer-service-kafka-" }),
    (path) => Deno.remove(path, { recursive: true }),
  );
  const [port, controllerPort] = [freePort(), freePort()];
  const config = `${home}/server.properties`;
  await Deno.mkdir(home, { recursive: true });
  await Deno.writeTextFile(config, properties(home, port, controllerPort, settings));
  await copyFormatted(installation, `${home}/data`);

  let running: Running | undefined;
  const broker: Omit<Broker, keyof AsyncDisposable> = {
    brokers: `127.0.0.1:${port}`,
    async start() {
      running = launch(installation, config);
      await answering(port, running);
    },
    suspend: () => running?.process.kill("SIGSTOP"),
    resume: () => running?.process.kill("SIGCONT"),
    async stop(signal = "SIGTERM") {
      const stopped = running;
      running = undefined;
      if (!stopped) return;
      if (!stopped.ended()) stopped.process.kill(signal);
      await stopped.output;
      await stopped.process.status;
    },
  };
  stack.defer(() => broker.stop("SIGKILL")); // the data is not needed any more
  await broker.start();
  const started = stack.move();
  return { ...broker, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

/** Settings for a single node that starts quickly. Kafka's defaults are for a cluster. */
function properties(
  home: string,
  port: number,
  controllerPort: number,
  { listeners, ...settings }: BrokerSettings,
): string {
  return Object.entries({
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "listeners": `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}${
      listeners ? `,${listeners}` : ""
    }`,
    "controller.listener.names": "CONTROLLER",
    "log.dirs": `${home}/data`,
    "auto.create.topics.enable": false,
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    // A killed broker can register again only after its old registration has expired.
    "broker.session.timeout.ms": 2000,
    "broker.heartbeat.interval.ms": 500,
    ...settings,
  }).map(([name, value]) => `${name}=${value}\n`).join("");
}

/** Copies a formatted storage: formatting starts a JVM, and its result differs in random IDs only. */
async function copyFormatted(installation: Installation, target: string): Promise<void> {
  const { storage } = installation;
  if (!(await exists(storage))) {
    const draft = await Deno.makeTempDir({ dir: new URL(".", `file://${storage}`).pathname });
    try {
      const config = `${draft}/server.properties`;
      await Deno.writeTextFile(config, properties(draft, 9092, 9093, {}));
      await format(installation, config);
      // Of concurrent runs the first to complete wins.
      await Deno.rename(`${draft}/data`, storage).catch(async (error) => {
        if (!(await exists(storage))) throw error;
      });
    } finally {
      await Deno.remove(draft, { recursive: true });
    }
  }
  await Deno.mkdir(target);
  for await (const { name } of Deno.readDir(storage)) {
    await Deno.copyFile(`${storage}/${name}`, `${target}/${name}`);
  }
}

async function format({ java, classpath }: Installation, config: string): Promise<void> {
  const id = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))))
    .replaceAll("+", "-").replaceAll("/", "_").slice(0, 22);
  const { success, stdout, stderr } = await new Deno.Command(java, {
    // `--cluster-id=` because an id may begin with a dash
    args: [
      ...["-cp", classpath, "kafka.tools.StorageTool", "format", "--ignore-formatted"],
      ...[`--cluster-id=${id}`, "--config", config],
    ],
  }).output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(`Kafka cannot format its storage: ${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}

interface Running {
  process: Deno.ChildProcess;
  ended(): boolean;
  /** The end of the broker's output, once it has exited. */
  output: Promise<string>;
}

function launch({ java, classpath }: Installation, config: string): Running {
  const process = new Deno.Command(java, {
    args: [...QUICK_JVM, "-cp", classpath, "kafka.Kafka", config],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let ended = false;
  process.status.then(() => ended = true);
  const output = Promise.all([tail(process.stdout), tail(process.stderr)]).then((texts) => texts.join(""));
  return { process, ended: () => ended, output };
}

async function tail(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) text = (text + chunk).slice(-2_000);
  return text;
}

async function answering(port: number, broker: Running): Promise<void> {
  const limit = Date.now() + START_LIMIT_MS;
  while (Date.now() < limit) {
    if (broker.ended()) throw new Error(`Kafka does not start: ${await broker.output}`);
    const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
    connection?.close();
    if (connection) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Kafka does not answer after ${START_LIMIT_MS / 1000} seconds`);
}
