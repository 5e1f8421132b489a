// deno-lint-ignore-file no-console -- what a task prints is its result
/**
 * `deno task citus`: runs the service on a real Citus: the tour in README.md, GDPR requests included, then commands and
 * lookups with the numbers of their statements on one shard and on several, isolation on the workers, a new worker and the
 * move of a store, and the ratio to a plain PostgreSQL that this task starts. Needs CITUS_URL: a superuser's URL of a
 * coordinator with at least two workers that trust it. Creates a database of its own there, and drops it.
 */
import assert from "node:assert/strict";
import { bootstrap } from "../../db/bootstrap.ts";
import { openEnclosingPool, openPool } from "../../db/connect.ts";
import { startEmbedded } from "../../db/embedded.ts";
import { createLookups } from "../../db/lookups.ts";
import { migrate } from "../../db/migrate.ts";
import { loadDemoData } from "../../demo/data.ts";
import { openPast } from "../../demo/history.ts";
import { requestSettings } from "../actors/settings.ts";
import { assertTour, paste, shellBlocks } from "../readme.ts";
import { startService, temporaryFolder } from "../service.ts";
import { type Cluster, countStatements, createCluster, type Node } from "./cluster.ts";
import { type Load, measure, openLoad } from "./load.ts";

const ROUNDS = 5;
const SECONDS = 2;

const citusUrl = Deno.env.get("CITUS_URL");
if (!citusUrl) {
  console.log(
    "citus: skipped, because CITUS_URL is not set: a superuser's URL of a Citus coordinator with two workers",
  );
  Deno.exit(0);
}

await using folder = await temporaryFolder();
await using cluster = await createCluster(citusUrl);
console.log("The database is distributed");
if (!Deno.args.includes("--no-tour")) {
  await runTour(cluster);
  console.log("The tour in README.md does what the text says");
}
await using load = await openLoad(cluster.url);
await countCommandsAndLookups();
await isolateStores();
await moveStore();
await compareWithPlain();

async function runTour({ url }: Cluster): Promise<void> {
  const api = openEnclosingPool(url, "customer_api", 4);
  const reader = openPool(url, "customer_reader", 1);
  await loadDemoData(openPast(api, await requestSettings()).actors, createLookups(reader, true));
  await Promise.all([api.end(), reader.end()]);
  await using service = startService({ DATA_DIR: `${folder.path}/data`, DATABASE_URL: url });
  const text = await service.ready();
  const [, httpPort] = text.match(/REST +http:\/\/127.0.0.1:(\d+)/) ?? [];
  const [, grpcPort] = text.match(/gRPC +127.0.0.1:(\d+)/) ?? [];
  const variables = `export HTTP_PORT=${httpPort} GRPC_PORT=${grpcPort} DATA_DIR=${folder.path}/data`;
  const blocks = (await shellBlocks("README.md", "## A tour")).map((block) =>
    block.replaceAll(".data/", `${folder.path}/`)
  );
  await assertTour(await paste([variables, ...blocks].join("\n")), folder.path);
}

async function countCommandsAndLookups(): Promise<void> {
  const counts = {
    commands: await countStatements(cluster.admin, () => Promise.all(load.customers.map(load.update))),
    lookups: await countStatements(cluster.admin, () => Promise.all(load.customers.map(load.lookUp))),
  };
  for (const [what, { single, multi }] of Object.entries(counts)) {
    console.log(`${what}: ${single} statements on one shard, ${multi} on several`);
    assert.ok(single > 0 && multi === 0, what);
  }
}

/** Counts the customers that customer_api sees in the shards of a worker, with a store entered and without one. */
async function isolateStores(): Promise<void> {
  const [{ storeId }, other] = [load.customers[0]!, load.customers.at(-1)!];
  const { node, shard } = await placeOf(storeId);
  const sql = cluster.on(node);
  const countAs = (entered: string | undefined) =>
    sql.begin(async (tx) => {
      await tx`set local role customer_api`;
      if (entered) await tx.unsafe(`set local app.store_id = '${entered}'`);
      const [row] = await tx<[{ count: number }]>`select count(*)::int as count from ${
        tx(`customers_${shard}`)
      }
        where store_id = ${storeId}`;
      return row.count;
    });
  const seen = [await countAs(storeId), await countAs(other.storeId), await countAs(undefined)];
  assert.deepEqual(seen, [load.customers.filter((ref) => ref.storeId === storeId).length, 0, 0]);
  console.log("A worker shows customer_api the rows of the store that it has entered, and no other row");
}

async function placeOf(storeId: string): Promise<{ node: Node; shard: string }> {
  const [place] = await cluster.admin<[{ shard: string; host: string; port: number }]>`
    select shardid::text as shard, nodename as host, nodeport as port from citus_shards
    where shardid = get_shard_id_for_distribution_column('customers', ${storeId}::uuid)`;
  return { node: { host: place.host, port: place.port }, shard: place.shard };
}

async function moveStore(): Promise<void> {
  const { spare, admin } = cluster;
  await admin`select citus_add_node(${spare.host}, ${spare.port})`;
  const { storeId } = load.customers[0]!;
  const { node, shard } = await placeOf(storeId);
  const moving =
    admin`select citus_move_shard_placement(${shard}::bigint, ${node.host}, ${node.port}::int, ${spare.host},
    ${spare.port}::int, 'block_writes')`;
  const own = load.customers.filter((ref) => ref.storeId === storeId);
  const updates = Promise.allSettled(own.map(load.update));
  await moving;
  const refused = (await updates).filter(({ status }) => status === "rejected");
  const { node: { host, port } } = await placeOf(storeId);
  assert.deepEqual({ host, port }, { host: spare.host, port: spare.port });
  for (const ref of own) {
    await load.update(ref);
    assert.ok(await load.lookUp(ref));
  }
  console.log(
    `A store was moved to a new worker; ${refused.length} of ${own.length} updates meanwhile were refused`,
  );
}

async function compareWithPlain(): Promise<void> {
  const settings = { fsync: "off", full_page_writes: "off" }; // as the cluster may have it
  await using server = await startEmbedded(`${folder.path}/plain`, { settings });
  const url = await bootstrap(server.adminUrl, "customers", "plain");
  await migrate(url);
  await using plain = await openLoad(url);
  const oneStore = ({ customers }: Load) =>
    customers.filter(({ storeId }) => storeId === customers[0]!.storeId);
  const loads: Record<string, (load: Load) => Promise<number>> = {
    "profile updates": (load) => run(load.customers, 16, load.update),
    "lookups of one store": (load) => run(oneStore(load), 64, load.lookUp),
    "lookups of twenty stores": (load) => run(load.customers, 64, load.lookUp),
  };
  for (const [what, perSecond] of Object.entries(loads)) {
    const rates = { citus: [] as number[], plain: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      rates.plain.push(await perSecond(plain));
      rates.citus.push(await perSecond(load));
    }
    const ratios = rates.citus.map((rate, round) => rate / rates.plain[round]!).sort((a, b) => a - b);
    console.log(
      `${what} a second: ${middle(rates.citus)} on Citus, ${middle(rates.plain)} on plain PostgreSQL; ratio ${
        ratios.map((ratio) => ratio.toFixed(2)).join(" ")
      }`,
    );
  }
}

function run(customers: Load["customers"], callers: number, call: Load["update"]): Promise<number> {
  return measure({ customers, callers, seconds: SECONDS }, call);
}

function middle(rates: number[]): string {
  return rates.toSorted((a, b) => a - b)[rates.length >> 1]!.toFixed(0);
}
