/** Temporary databases of realistic size for a benchmark. */
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

/** Starts an embedded PostgreSQL with default settings, with one database that is migrated and empty. */
export async function openDatabase(): Promise<BenchDatabase> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(
    await Deno.makeTempDir({ prefix: "customer-service-bench-" }),
    (folder) => Deno.remove(folder, { recursive: true }),
  );
  await Deno.chmod(folder, 0o711);
  const server = stack.use(await startEmbedded(`${folder}/database`));
  const pidFile = await Deno.readTextFile(`${server.folder}/postgres/postmaster.pid`);
  const urls = await addDatabase(server.adminUrl, "customers");
  const running = stack.move();
  return {
    ...urls,
    pid: Number(pidFile.split("\n")[0]),
    folder,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Adds another migrated and empty database to a server. */
export async function addDatabase(
  adminUrl: string,
  name: string,
): Promise<{ url: string; adminUrl: string }> {
  const url = await bootstrap(adminUrl, name, "bench");
  await migrate(url);
  return { url, adminUrl: Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href };
}

export interface CustomerId {
  storeId: string;
  customerId: string;
}

/** Number of customers of which a load generator chooses. */
const SAMPLE = 200_000;

/**
 * Inserts customers of five stores, each in up to three of its store's twenty groups and with one or two addresses.
 * Returns the IDs of at most 200,000 of them, chosen at random.
 */
export async function loadCustomers(adminUrl: string, count: number): Promise<CustomerId[]> {
  const sql = postgres(adminUrl, {
    max: 1,
    onnotice: () => {},
    transform: { column: { from: postgres.toCamel } },
  });
  try {
    const indexes = await sql<{ name: string; definition: string }[]>`
      select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
      where indrelid in ('customers'::regclass, 'customer_group_memberships'::regclass,
        'customer_addresses'::regclass) and not indisprimary`;
    for (const { name } of indexes) await sql.unsafe(`drop index ${name}`); // created again below, which is faster
    // The rows are consistent, so their foreign keys need no checks.
    await sql.unsafe(`
      set synchronous_commit = off; set maintenance_work_mem = '512MB'; set session_replication_role = replica`);
    await sql`create temp table stores as select n, gen_random_uuid() as store_id from generate_series(0, 4) n`;
    await sql`
      insert into shopper_groups
        (store_id, group_id, name, price_list_id, priority, version, created_at, updated_at)
      select store_id, gen_random_uuid(), 'Loyalty tier ' || g, gen_random_uuid(), g % 7, 1, now(), now()
      from stores, generate_series(1, 20) g`;
    await sql`
      create temp table numbered_groups as
      select store_id, group_id, row_number() over (partition by store_id order by group_id) - 1 as n
      from shopper_groups`;
    await sql`
      insert into customers
        (store_id, customer_id, email, first_name, last_name, locale, status, version, created_at, updated_at)
      select s.store_id, gen_random_uuid(), 'customer' || i || '@example.test', 'Ada', 'Loveless', 'de-CH',
        'ACTIVE', 1, now(), now()
      from generate_series(1, ${count}::int) i join stores s on s.n = i % 5`;
    await sql`
      insert into customer_group_memberships (store_id, customer_id, group_id, assigned_at, assigned_by)
      select c.store_id, c.customer_id, g.group_id, now() - random() * interval '1 year', gen_random_uuid()
      from (select *, floor(random() * 4)::int as groups, floor(random() * 20)::int as first from customers) c
      join numbered_groups g on g.store_id = c.store_id and (g.n - c.first + 20) % 20 < c.groups`;
    await sql`
      insert into customer_addresses (store_id, address_id, customer_id, line1, city, country, postal_code,
        is_default_shipping, created_at, updated_at)
      select store_id, gen_random_uuid(), customer_id, 'High Street', 'Springfield', 'US', '10000', a = 1, now(), now()
      from (select *, 1 + floor(random() * 2)::int as addresses from customers) c
      cross join generate_series(1, 2) a where a <= addresses`;
    for (const { definition } of indexes) await sql.unsafe(definition);
    await sql`vacuum analyze`;
    await sql`checkpoint`;
    return await sql<CustomerId[]>`
      select store_id, customer_id from customers where random() < ${SAMPLE / count}::float8 limit ${SAMPLE}`;
  } finally {
    await sql.end();
  }
}
