/**
 * Embedded PostgreSQL server that keeps its data in a folder: for development and tests, never for
 * production.
 */
import postgres from "postgres";
import { installBinaries, NoBinaries } from "./embedded_binaries.ts";
import { exists, keptPassword, lock, placeFor, readIfThere } from "./embedded_folder.ts";
import { pause } from "../lib/timeout.ts";

/** Reason why the embedded server cannot run, as a sentence for the developer who started it. */
export class EmbeddedError extends Error {
  override name = "EmbeddedError";
}

export interface Embedded extends AsyncDisposable {
  /** Connection URL of a superuser to the database `postgres`. */
  adminUrl: string;
  /** Data folder; not below `folder` when other users cannot enter root's folder. */
  folder: string;
}

export interface EmbeddedOptions {
  /** Server settings in addition to the defaults, such as `{ fsync: "off" }` for tests. */
  settings?: Record<string, string>;
}

/** PostgreSQL refuses to run as root; root runs it as this unprivileged user, which every Unix has. */
const NOBODY = 65534;
const START_LIMIT_MS = 30_000;

/**
 * Starts the server on a free port of the loopback interface, and creates the data on the first run.
 * One process at a time: the folder is locked until the server has stopped. A server that a killed process
 * left running is stopped first.
 *
 * @throws {EmbeddedError} the folder is in use, cannot be written, holds another version's data, or the
 *   server will not start
 */
export async function startEmbedded(where: string, options: EmbeddedOptions = {}): Promise<Embedded> {
  try {
    return await startIn(where, options);
  } catch (cause) {
    if (cause instanceof NoBinaries) throw new EmbeddedError(`${cause.message}: set DATABASE_URL`, { cause });
    if (!isSystemError(cause)) throw cause;
    throw new EmbeddedError(`Cannot keep a database in ${where}: ${cause.message}`, { cause });
  }
}

/** Errors of the operating system: permissions, a full disk, a file where a folder is expected. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^E[A-Z]+$/.test(String(error.code));
}

async function startIn(where: string, options: EmbeddedOptions): Promise<Embedded> {
  await using stack = new AsyncDisposableStack();
  const asRoot = Deno.build.os !== "windows" && Deno.uid() === 0;
  const folder = await placeFor(where, asRoot);
  await Deno.mkdir(folder, { recursive: true });
  if (!(await lock(stack, `${folder}/lock`))) {
    throw new EmbeddedError(
      `${where} is in use by another customer-service: stop that one, or set DATABASE_URL`,
    );
  }

  const binaries = await installBinaries(folder);
  const data = `${folder}/postgres`;
  const run = (program: string, args: string[]) =>
    new Deno.Command(`${binaries.folder}/bin/${program}`, {
      args,
      cwd: folder,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      detached: true, // Ctrl-C reaches this process only, which stops the server after its users
      ...(asRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    });

  const password = await keptPassword(folder);
  const version = (await readIfThere(`${data}/PG_VERSION`))?.trim();
  if (version === undefined) {
    await initialize(run, { folder, data, password, asRoot });
  } else if (version !== binaries.major) {
    throw new EmbeddedError(
      `${data} belongs to PostgreSQL ${version}, this version brings ${binaries.major}: move the folder away, or set DATABASE_URL`,
    );
  }
  await stopLeftover(data, password);

  const port = freePort();
  const settings = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    ...options.settings,
  };
  const server = run("postgres", [
    "-D",
    data,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ]).spawn();
  const complaints = collect(server.stderr);
  stack.defer(async () => {
    // SIGINT is PostgreSQL's fast shutdown: it ends its sessions, writes a checkpoint and exits.
    try {
      server.kill("SIGINT");
    } catch { /* it has already exited */ }
    await server.status;
    await complaints.text;
  });
  const adminUrl = urlAt(port, password);
  await answering(adminUrl, server, complaints);
  const running = stack.move();
  return { adminUrl, folder, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

type Runner = (program: string, args: string[]) => Deno.Command;

interface NewCluster {
  folder: string;
  /** Data directory, inside the folder. */
  data: string;
  /** Password of the superuser. */
  password: string;
  asRoot: boolean;
}

async function initialize(run: Runner, { folder, data, password, asRoot }: NewCluster) {
  // Initialized in a temporary folder and renamed when complete: a first run may be interrupted.
  const draft = `${data}-draft`;
  if (await exists(draft)) await Deno.remove(draft, { recursive: true });
  // initdb creates its folder itself, which it cannot do below a folder of root.
  await Deno.mkdir(draft, { mode: 0o700 });
  const passwordFile = `${folder}/initdb-password`;
  await Deno.writeTextFile(passwordFile, password, { mode: 0o600 });
  if (asRoot) { for (const path of [draft, passwordFile]) await Deno.chown(path, NOBODY, NOBODY); }
  const args = ["-D", draft, "-U", "postgres", `--pwfile=${passwordFile}`, "--auth=scram-sha-256"];
  const locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"];
  const { success, stderr } = await run("initdb", [...args, ...locale]).output();
  await Deno.remove(passwordFile);
  if (!success) {
    throw new EmbeddedError(
      `PostgreSQL cannot create ${data}: ${lastLine(new TextDecoder().decode(stderr))}`,
    );
  }
  await Deno.rename(draft, data);
}

/**
 * Stops a server that still runs on this data: this process holds the folder's lock, so the server's parent
 * has died.
 */
async function stopLeftover(data: string, password: string): Promise<void> {
  const pidFile = `${data}/postmaster.pid`;
  const [pid, , , port] = (await readIfThere(pidFile) ?? "").split("\n").map(Number);
  // The file may be stale and another process may have its PID by now: the process that accepts the password
  // is the server. PostgreSQL removes a stale file itself.
  if (!pid || !port || !(await takesPassword(urlAt(port, password)))) return;
  Deno.kill(pid, "SIGINT");
  const limit = Date.now() + START_LIMIT_MS;
  while (await exists(pidFile)) {
    if (Date.now() > limit) {
      throw new EmbeddedError(`Process ${pid} holds ${data} and does not stop: end it by hand`);
    }
    await pause(50);
  }
}

/** Retries while the server starts or stops. */
async function takesPassword(url: string): Promise<boolean> {
  const limit = Date.now() + START_LIMIT_MS;
  for (;;) {
    const answer = await connect(url);
    if (answer !== CANNOT_CONNECT_NOW || Date.now() > limit) return answer === "connected";
    await pause(50);
  }
}

const CANNOT_CONNECT_NOW = "57P03";

/** Returns "connected", or the code of the error. */
async function connect(url: string): Promise<string> {
  const sql = postgres(url, { max: 1, connect_timeout: 1, onnotice: () => {} });
  const answer = await sql`select 1`.then(() => "connected", (error) => String(error.code));
  await sql.end({ timeout: 1 });
  return answer;
}

async function answering(url: string, server: Deno.ChildProcess, complaints: Complaints): Promise<void> {
  let ended = false;
  server.status.then(() => ended = true);
  const limit = Date.now() + START_LIMIT_MS;
  while (Date.now() < limit) {
    if (ended) throw new EmbeddedError(`PostgreSQL does not start: ${lastLine(await complaints.text)}`);
    if (await connect(url) === "connected") return;
    await pause(50);
  }
  throw new EmbeddedError(`PostgreSQL does not answer after ${START_LIMIT_MS / 1000} seconds`);
}

interface Complaints {
  text: Promise<string>;
}

/** Keeps the last output of the server, so that a failure can be reported and the pipe never fills. */
function collect(stream: ReadableStream<Uint8Array>): Complaints {
  const read = async () => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of stream) text = (text + decoder.decode(chunk, { stream: true })).slice(-4_000);
    return text;
  };
  return { text: read() };
}

function lastLine(text: string): string {
  const lines = text.trim().split("\n");
  return lines.findLast((line) => /FATAL|ERROR|error/.test(line)) ?? lines.at(-1) ?? "no reason given";
}

function urlAt(port: number, password: string): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
