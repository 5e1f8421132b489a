/** Temporary database of realistic size for a benchmark. */
import postgres from "postgres";
import { bootstrap } from "../db/bootstrap.ts";
import { startEmbedded } from "../db/embedded.ts";
import { migrate } from "../db/migrate.ts";

export interface BenchDatabase extends AsyncDisposable {
  /** URL with the service's login. */
  url: string;
  adminUrl: string;
  /** PID of the postmaster, the parent of all backends. */
  pid: number;
  /** A folder that lasts as long as the database. */
  folder: string;
}

/** Starts an embedded PostgreSQL with default settings, migrated and empty. */
export async function openDatabase(): Promise<BenchDatabase> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(
    await Deno.makeTempDir({ prefix: "customer-service-bench-" }),
    (folder) => Deno.remove(folder, { recursive: true }),
  );
  await Deno.chmod(folder, 0o711);
  const server = stack.use(await startEmbedded(`${folder}/database`));
  const url = await bootstrap(server.adminUrl, "customers", "bench");
  await migrate(url);
  const pidFile = await Deno.readTextFile(`${server.folder}/postgres/postmaster.pid`);
  const running = stack.move();
  return {
    url,
    adminUrl: Object.assign(new URL(server.adminUrl), { pathname: "/customers" }).href,
    pid: Number(pidFile.split("\n")[0]),
    folder,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export interface CustomerId {
  storeId: string;
  customerId: string;
}

/** Inserts customers of five stores, each in up to three of its store's twenty groups. Returns their IDs. */
export async function loadCustomers(adminUrl: string, count: number): Promise<CustomerId[]> {
  const sql = postgres(adminUrl, {
    max: 1,
    onnotice: () => {},
    transform: { column: { from: postgres.toCamel } },
  });
  try {
    await sql`create temp table stores as select n, gen_random_uuid() as store_id from generate_series(0, 4) n`;
    await sql`
      insert into shopper_groups
        (store_id, group_id, name, price_list_id, priority, version, created_at, updated_at)
      select store_id, gen_random_uuid(), 'Loyalty tier ' || g, gen_random_uuid(), g % 7, 1, now(), now()
      from stores, generate_series(1, 20) g`;
    await sql`
      insert into customers
        (store_id, customer_id, email, first_name, last_name, locale, status, version, created_at, updated_at)
      select s.store_id, gen_random_uuid(), 'customer' || i || '@example.test', 'Ada', 'Loveless', 'de-CH',
        'ACTIVE', 1, now(), now()
      from generate_series(1, ${count}::int) i join stores s on s.n = i % 5`;
    await sql`
      insert into customer_group_memberships (store_id, customer_id, group_id, assigned_at, assigned_by)
      select c.store_id, c.customer_id, g.group_id, now() - random() * interval '1 year', gen_random_uuid()
      from (select *, floor(random() * 4)::int as groups from customers) c
      cross join lateral (
        select group_id from shopper_groups s where s.store_id = c.store_id
        order by md5(s.group_id::text || c.customer_id::text) limit c.groups
      ) g`;
    await sql`vacuum analyze`;
    await sql`checkpoint`;
    return await sql<CustomerId[]>`select store_id, customer_id from customers`;
  } finally {
    await sql.end();
  }
}
