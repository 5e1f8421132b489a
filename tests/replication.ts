/** A PostgreSQL of its own with the migrated schema, and hot standbys of it. */
import postgres from "postgres";
import { bootstrap } from "../db/bootstrap.ts";
import { type Embedded, startEmbedded } from "../db/embedded.ts";
import { migrate } from "../db/migrate.ts";
import { temporaryFolder } from "./service.ts";
import { copyAsStandby } from "./standby.ts";

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
 * Starts a hot standby from a copy of the primary's files.
 *
 * @param settings of the standby, in addition to those that it needs
 */
export async function startStandby(
  primary: ReplicatedServer,
  stack: AsyncDisposableStack,
  settings: Record<string, string> = {},
): Promise<ReplicatedServer> {
  const folder = stack.use(await temporaryFolder());
  const { adminUrl, embedded: { folder: data } } = primary;
  const connection = await copyAsStandby({ adminUrl, folder: data }, folder.path);
  const embedded = stack.use(
    await startEmbedded(folder.path, {
      settings: {
        fsync: "off",
        ...connection,
        ...settings,
      },
    }),
  );
  return serverOf(embedded, primary.url);
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
