/** A database of its own on a Citus cluster, which the service has set up as docs/deployment.md says. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { bootstrap } from "../../db/bootstrap.ts";
import { migrate } from "../../db/migrate.ts";
import { statementsOf } from "./statements.ts";

export interface Node {
  host: string;
  port: number;
}

type Admin = postgres.Sql<Record<string, never>>;

export interface Cluster extends AsyncDisposable {
  /** URL with the service's login, on the coordinator. */
  url: string;
  /** Superuser on the coordinator. */
  admin: Admin;
  workers: readonly Node[];
  /** A worker of the cluster that the database does not use yet. */
  spare: Node;
  /** Superuser on a node. */
  on(node: Node): Admin;
}

const PASSWORD = "citus";
const ROOT = new URL("../../", import.meta.url);

/**
 * Creates the database on the coordinator and all workers, of which one stays unused, migrates it and distributes it.
 *
 * @param citusUrl superuser URL of a coordinator database that has the extension and at least two workers
 */
export async function createCluster(citusUrl: string): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  const open = (url: string, max = 1) =>
    stack.adopt(
      postgres(url, { max, onnotice: () => {}, transform: { column: { from: postgres.toCamel } } }) as Admin,
      (sql) => sql.end({ timeout: 1 }),
    );
  const server = open(citusUrl);
  const nodes = await server<(Node & { isCoordinator: boolean })[]>`
    select nodename as host, nodeport as port, groupid = 0 as is_coordinator from pg_dist_node
    where noderole = 'primary' order by groupid`;
  const workers = nodes.filter(({ isCoordinator }) => !isCoordinator);
  assert.ok(workers.length >= 2, "CITUS_URL needs a coordinator with at least two workers");
  const name = `customer_citus_${crypto.randomUUID().slice(0, 8)}`;
  const here = new URL(citusUrl);
  const coordinator: Node = nodes.find(({ isCoordinator }) => isCoordinator) ??
    { host: here.hostname, port: Number(here.port) };
  const urlOn = ({ host, port }: Node, database = name) =>
    Object.assign(new URL(citusUrl), { hostname: host, port: String(port), pathname: `/${database}` }).href;

  for (const node of [...workers, coordinator]) {
    const { pathname } = here;
    const sql = open(urlOn(node, pathname.slice(1)));
    await sql`set citus.enable_ddl_propagation = off`;
    await sql.unsafe(await Deno.readTextFile(new URL("db/roles.sql", ROOT)));
    await sql`create database ${sql(name)} owner customer_owner`;
    stack.defer(async () => void await sql`drop database ${sql(name)} with (force)`);
    await open(urlOn(node))`create extension citus`;
  }
  const admin = open(urlOn(coordinator), 4);
  await admin`select citus_set_coordinator_host(${coordinator.host}, ${coordinator.port})`;
  for (const { host, port } of workers.slice(0, -1)) await admin`select citus_add_node(${host}, ${port})`;
  const distribute = async () => {
    const session = open(urlOn(coordinator));
    const script = await Deno.readTextFile(new URL("deploy/citus.sql", ROOT));
    for (const statement of statementsOf(script)) await session.unsafe(statement);
  };
  const url = await bootstrap(urlOn(coordinator, here.pathname.slice(1)), name, PASSWORD);
  await distribute();
  await migrate(url);
  await distribute();
  const running = stack.move();
  return {
    url,
    admin,
    workers: workers.slice(0, -1),
    spare: workers.at(-1)!,
    on: (node) =>
      running.adopt(postgres(urlOn(node), { max: 1, onnotice: () => {} }) as Admin, (sql) => sql.end()),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Numbers of statements of the coordinator on one shard and on several. */
export interface Statements {
  single: number;
  multi: number;
}

/** Counts the statements that `work` sends. */
export async function countStatements(admin: Admin, work: () => Promise<unknown>): Promise<Statements> {
  const count = async () => {
    const [row] = await admin<[Statements]>`
      select coalesce(sum(query_execution_single_shard), 0)::int as single,
        coalesce(sum(query_execution_multi_shard), 0)::int as multi
      from citus_stat_counters where name = current_database()`;
    return row;
  };
  const before = await count();
  await work();
  const after = await count();
  return { single: after.single - before.single, multi: after.multi - before.multi };
}
