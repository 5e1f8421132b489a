/** PostgreSQL server whose processes a fault can kill, stop and start again. */
import postgres from "postgres";
import { bootstrap, LOGIN } from "../../db/bootstrap.ts";
import { type Embedded, startEmbedded } from "../../db/embedded.ts";
import { migrate } from "../../db/migrate.ts";
import { childrenOf } from "../resilience/processes.ts";

const DATABASE = "customers";
const PASSWORD = "test";

export interface DatabaseServer extends AsyncDisposable {
  /** Folder with its data, in the subfolder `postgres`. */
  folder: string;
  /** Port of the running server; a new one after every start. */
  port(): number;
  /** URL of the service's login through another port. */
  urlAt(port: number): string;
  /** URL of the superuser to the same database. */
  adminUrl(): string;
  /** Ends the server: SIGINT is a fast shutdown, SIGQUIT an immediate one. */
  stop(signal: "SIGINT" | "SIGQUIT" | "SIGKILL"): Promise<void>;
  /** Starts the stopped server again. */
  start(settings?: Record<string, string>): Promise<void>;
  /** Suspends every process of the server, or continues them. */
  suspend(): Promise<void>;
  resume(): Promise<void>;
  /** Makes a standby accept changes. */
  promote(): Promise<void>;
  /** Kills the server process of one session of the service; PostgreSQL then ends all sessions. */
  killSession(): Promise<void>;
}

/** Settings of every server: fast, because losing power is not among the faults. */
const SETTINGS = { fsync: "off", full_page_writes: "off", max_connections: "120" };

/** Starts a server with the migrated schema. */
export async function createServer(folder: string, settings = {}): Promise<DatabaseServer> {
  const server = await openServer(folder, settings);
  const url = await bootstrap(server.superuserUrl(), DATABASE, PASSWORD);
  await migrate(url);
  return server;
}

/** Starts a server on existing data. */
export async function openServer(
  folder: string,
  settings: Record<string, string> = {},
): Promise<DatabaseServer & { superuserUrl(): string }> {
  let running: Embedded | undefined = await startEmbedded(folder, { settings: { ...SETTINGS, ...settings } });
  let superuserUrl = running.adminUrl;
  const dataFolder = running.folder;
  const at = (port: string | number) => Object.assign(new URL(superuserUrl), { port: String(port) });
  const pid = async () => {
    const text = await Deno.readTextFile(`${dataFolder}/postgres/postmaster.pid`).catch(() => "");
    return Number(text.split("\n")[0]) || undefined;
  };
  const all = async () => {
    const parent = await pid();
    return parent === undefined ? [] : [parent, ...await childrenOf(parent).catch(() => [])];
  };
  const signalAll = async (signal: Deno.Signal) => {
    for (const process of await all()) kill(process, signal);
  };
  const stop = async (signal: Deno.Signal) => {
    const [parent, stopped] = [await pid(), running];
    running = undefined;
    if (parent !== undefined) kill(parent, signal);
    await stopped?.[Symbol.asyncDispose]();
  };
  return {
    folder: dataFolder,
    port: () => Number(new URL(superuserUrl).port),
    superuserUrl: () => superuserUrl,
    adminUrl: () => Object.assign(new URL(superuserUrl), { pathname: `/${DATABASE}` }).href,
    urlAt: (port) =>
      Object.assign(at(port), { username: LOGIN, password: PASSWORD, pathname: `/${DATABASE}` }).href,
    stop,
    async start(more = {}) {
      running = await startEmbedded(folder, { settings: { ...SETTINGS, ...settings, ...more } });
      superuserUrl = running.adminUrl;
    },
    suspend: () => signalAll("SIGSTOP"),
    resume: () => signalAll("SIGCONT"),
    async promote() {
      const sql = postgres(superuserUrl, { max: 1, onnotice: () => {} });
      await sql`select pg_promote()`.finally(() => sql.end());
    },
    async killSession() {
      const [parent, ...children] = await all();
      const sessions = await Promise.all(children.map(async (child) => {
        const title = await Deno.readTextFile(`/proc/${child}/cmdline`).catch(() => "");
        return title.includes(LOGIN) ? [child] : [];
      }));
      const session = sessions.flat().at(-1);
      if (parent !== undefined && session !== undefined) kill(session, "SIGKILL");
    },
    async [Symbol.asyncDispose]() {
      await signalAll("SIGCONT");
      await stop("SIGINT");
    },
  };
}

function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch { /* it has ended */ }
}
