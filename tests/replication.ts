/** A PostgreSQL of its own with the migrated schema, and hot standbys of it. */
import postgres from "postgres";
import { bootstrap } from "../db/bootstrap.ts";
import { type Embedded, startEmbedded } from "../db/embedded.ts";
import { migrate } from "../db/migrate.ts";
import { temporaryFolder } from "./service.ts";

const DATABASE = "customers";

export interface ReplicatedServer {
  port: number;
  /** URL with the service's login. */
  url: string;
  /** Superuser URL of the same database. */
  adminUrl: string;
  /** Runs statements as superuser, outside of a transaction. */
  ask(statement: string): Promise<postgres.Row[]>;
  embedded: Embedded;
}

/** Starts a primary. Its commits do not wait for a standby. */
export async function startPrimary(stack: AsyncDisposableStack): Promise<ReplicatedServer> {
  const folder = stack.use(await temporaryFolder());
  const embedded = stack.use(await startEmbedded(folder.path, { settings: { fsync: "off" } }));
  const url = await bootstrap(embedded.adminUrl, DATABASE, "test");
  await migrate(url);
  return serverOf(embedded, url);
}

/**
 * Starts a hot standby from a copy of the primary's files; the embedded binaries have no pg_basebackup.
 *
 * @param settings of the standby, in addition to those that it needs
 */
export async function startStandby(
  primary: ReplicatedServer,
  stack: AsyncDisposableStack,
  settings: Record<string, string> = {},
): Promise<ReplicatedServer> {
  const folder = stack.use(await temporaryFolder());
  const { username, password, port } = new URL(primary.adminUrl);
  const [from, to] = [`${primary.embedded.folder}/postgres`, `${folder.path}/postgres`];
  const write = async (path: string, text: string) => {
    await Deno.writeTextFile(path, text);
    const { uid, gid } = await Deno.stat(to);
    if (uid !== null && gid !== null) await Deno.chown(path, uid, gid); // the server does not run as root
  };
  const sql = postgres(primary.adminUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`select pg_backup_start('standby', true)`;
    await copyFiles(from, to);
    const [backup] = await sql`select labelfile from pg_backup_stop(false)`;
    await write(`${to}/backup_label`, backup?.labelfile);
    await write(`${to}/standby.signal`, "");
  } finally {
    await sql.end();
  }
  for (const name of ["postmaster.pid", "postmaster.opts"]) await Deno.remove(`${to}/${name}`);
  await Deno.copyFile(`${primary.embedded.folder}/password`, `${folder.path}/password`);
  const embedded = stack.use(
    await startEmbedded(folder.path, {
      settings: {
        fsync: "off",
        primary_conninfo: `host=127.0.0.1 port=${port} user=${username} password=${password}`,
        ...settings,
      },
    }),
  );
  return serverOf(embedded, primary.url);
}

/** Copies the files with their owner. Files that the running server removes meanwhile are left out. */
async function copyFiles(from: string, to: string): Promise<void> {
  const { stderr } = await new Deno.Command("cp", { args: ["-a", from, to], env: { LC_ALL: "C" } }).output();
  const errors = new TextDecoder().decode(stderr).split("\n").filter((line) => line !== "");
  const other = errors.find((line) => !line.endsWith("No such file or directory"));
  if (other !== undefined) throw new Error(`Cannot copy the database: ${other}`);
}

function serverOf(embedded: Embedded, url: string): ReplicatedServer {
  const { port } = new URL(embedded.adminUrl);
  const adminUrl = Object.assign(new URL(embedded.adminUrl), { pathname: `/${DATABASE}` }).href;
  return {
    port: Number(port),
    url: Object.assign(new URL(url), { port }).href,
    adminUrl,
    async ask(statement) {
      const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
      return await sql.unsafe(statement).finally(() => sql.end());
    },
    embedded,
  };
}
