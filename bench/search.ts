// deno-lint-ignore-file no-console -- a benchmark prints its results
/**
 * `deno task bench search`: every filter of the customer search over one large store, and PostgreSQL's query plans.
 * Loading ten million customers takes a few minutes and 7 GB in the temporary folder.
 *
 * `--customers=10000000 --rounds=5 --plans=1`
 */
import postgres from "postgres";
import type { Sql } from "../db/connect.ts";
import { type CustomerFilter, searchCustomers } from "../db/customer_search.ts";
import { createStoreReader } from "../db/store_reader.ts";
import { describeError } from "../lib/error_description.ts";
import { openDatabase } from "./_database.ts";
import { median, options, printStep, type Report } from "./_report.ts";

const STORE = "00000000-0000-4000-8000-000000000000";
const group = (n: number) => `00000000-0000-4000-9000-00000000000${n}`;
const [TENTH, FIRST_TENTH, HUNDRED] = [group(1), group(2), group(3)];
const NEWEST = new Date("2026-11-01T00:00:00Z");
const days = (count: number) => new Date(NEWEST.getTime() - count * 24 * 60 * 60 * 1_000);

/** Filters by name. "middle" searches after a customer of half the age of the oldest. */
const SEARCHES: Record<string, [filter: CustomerFilter, after?: "middle"]> = {
  "nothing": [{}],
  "nothing, from the middle on": [{}, "middle"],
  "email": [{ email: "OLD.5000@example.test" }],
  "unknown email": [{ email: "unknown@example.test" }],
  "emailPrefix, common": [{ emailPrefix: "bira.kelo" }],
  "emailPrefix, one letter": [{ emailPrefix: "b" }],
  "emailPrefix, rare": [{ emailPrefix: "old.5000" }],
  "emailPrefix of the oldest tenth": [{ emailPrefix: "old." }],
  "namePrefix, common": [{ namePrefix: "kelo" }],
  "namePrefix, common, from the middle on": [{ namePrefix: "kelo" }, "middle"],
  "namePrefix, one letter": [{ namePrefix: "k" }],
  "namePrefix, rare": [{ namePrefix: "zuzuzu" }],
  "namePrefix, unknown": [{ namePrefix: "xavier" }],
  "namePrefix, two words, common": [{ namePrefix: "bira ke" }],
  "namePrefix, two words, rare": [{ namePrefix: "zuzu zuzu" }],
  "namePrefix, one letter, of one day": [{
    namePrefix: "k",
    createdFrom: days(1_001),
    createdTo: days(1_000),
  }],
  "namePrefix, rare, of one year": [{
    namePrefix: "zuzuzu",
    createdFrom: days(1_000),
    createdTo: days(635),
  }],
  "namePrefix, common, suspended": [{ namePrefix: "kelo", status: "SUSPENDED" }],
  "status ACTIVE": [{ status: "ACTIVE" }],
  "status SUSPENDED, one in ten thousand": [{ status: "SUSPENDED" }],
  "anonymized": [{ anonymized: true }],
  "not anonymized, closed": [{ anonymized: false, status: "CLOSED" }],
  "created on one day": [{ createdFrom: days(2_001), createdTo: days(2_000) }],
  "group of a tenth": [{ groupId: TENTH }],
  "group of a tenth, from the middle on": [{ groupId: TENTH }, "middle"],
  "group of the oldest tenth": [{ groupId: FIRST_TENTH }],
  "group of the oldest tenth, created on one day": [{
    groupId: FIRST_TENTH,
    createdFrom: days(3_601),
    createdTo: days(3_600),
  }],
  "group of a tenth, suspended": [{ groupId: TENTH, status: "SUSPENDED" }],
  "group of a tenth, namePrefix common": [{ groupId: TENTH, namePrefix: "kelo" }],
  "group of a hundred": [{ groupId: HUNDRED }],
};

export async function search(args: string[]): Promise<Report> {
  const settings = options(args, { customers: 10_000_000, rounds: 5, plans: 1 });
  await using database = await openDatabase();
  const plans: string[] = [];
  const sql = postgres(database.adminUrl, {
    max: 1,
    onnotice: (notice) => plans.push(notice.message ?? ""),
    transform: { column: { from: postgres.toCamel, to: postgres.fromCamel } },
  });
  try {
    const seconds = await load(sql, settings.customers);
    // auto_explain reports statements within the function as notices.
    await sql.unsafe(`
      load 'auto_explain'; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on;
      set auto_explain.log_buffers = on; set auto_explain.log_level = notice`);
    const rows: string[][] = [];
    for (const [name, [filter, after]] of Object.entries(SEARCHES)) {
      printStep(name);
      const page = { limit: 51, after: after && await middle(sql) };
      const times: number[] = [];
      let found = 0;
      for (let round = 0; round < settings.rounds; round++) {
        const from = performance.now();
        found = (await searchCustomers(createStoreReader(sql), STORE, filter, page).catch(() => [])).length;
        times.push(performance.now() - from);
      }
      rows.push([
        name,
        Number.isNaN(found) ? "timed out" : String(found),
        times[0]!.toFixed(1),
        median(times.slice(1)).toFixed(1),
      ]);
      if (!settings.plans) continue;
      await sql`set auto_explain.log_min_duration = 0`;
      plans.length = 0;
      await searchCustomers(createStoreReader(sql), STORE, filter, page).catch((error) =>
        plans.push(describeError(error))
      );
      await sql`set auto_explain.log_min_duration = -1`;
      console.log(`\n${name}\n${plans.map(shortened).join("")}`);
    }
    return {
      notes: [
        `One store with ${settings.customers.toLocaleString("en-US")} customers, loaded in ${
          seconds.toFixed(0)
        } ` +
        `seconds; pages of 50; PostgreSQL with its default settings; the first call, and the median of ` +
        `${settings.rounds - 1} more.`,
      ],
      tables: [{ title: "filters of the search", head: ["filter", "rows", "first ms", "next ms"], rows }],
    };
  } finally {
    await sql.end();
  }
}

/** The plan of the search statement itself. */
function shortened(plan: string): string {
  if (/^PostgreSQL/.test(plan)) return `${plan}\n`;
  return /order by .* limit \$5/.test(plan) ? `${plan.slice(plan.search(/^\s*Limit/m)).trimEnd()}\n` : "";
}

async function middle(sql: Sql): Promise<string> {
  const [row] = await sql<{ customerId: string }[]>`
    select customer_id from customers where created_at < ${days(1_800)} order by created_at desc limit 1`;
  return row!.customerId;
}

/**
 * Inserts customers of ten years, with time-ordered IDs. A few names are common and most are rare. The emails of the
 * oldest tenth have a common prefix. One in a hundred is anonymized, one in fifty closed, one in ten thousand suspended.
 */
async function load(sql: Sql, count: number): Promise<number> {
  const from = performance.now();
  const indexes = await sql<{ name: string; definition: string }[]>`
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
    where indrelid in ('customers'::regclass, 'customer_group_memberships'::regclass) and not indisprimary`;
  for (const { name } of indexes) await sql.unsafe(`drop index ${name}`);
  await sql.unsafe(`
    set synchronous_commit = off; set maintenance_work_mem = '512MB'; set max_parallel_maintenance_workers = 1;
    select setseed(0.5);
    create temp table syllables as
      select string_agg(c || v, null) filter (where n % 1 = 0) over (order by n rows 0 preceding) as s, n
      from (select c, v, row_number() over (order by c, v) - 1 as n
        from unnest('{b,d,f,g,k,l,m,n,p,r,s,t,w,z}'::text[]) c, unnest('{a,e,i,o,u}'::text[]) v) x;
    create temp table names as
      select row_number() over (order by md5(a.s || b.s || 'x')) - 1 as n, initcap(a.s || b.s) as name
      from syllables a, syllables b;
    update names set name = 'Bira' where n = 0; update names set name = 'Kelo' where n = 1;
    update names set name = 'Zuzuzuzu' where n = (select max(n) from names);
    create unique index on names (n); analyze names`);
  await sql`
    insert into customers
      (store_id, customer_id, email, first_name, last_name, locale, status, version, created_at, updated_at, anonymized_at)
    select ${STORE},
      (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(i::text), 1, 3) || '8'
        || substr(md5(i::text), 4, 15))::uuid,
      case when i % 100 <> 7 then case when i <= ${count}::int / 10 then 'old.' || i
        else lower(f.name || '.' || l.name || '.' || i) end || '@example.test' end,
      case when i % 100 <> 7 then f.name end, case when i % 100 <> 7 then l.name end,
      case when i % 100 <> 7 then 'de-CH' end,
      case when i % 10000 = 5000 then 'SUSPENDED' when i % 100 in (7, 8) then 'CLOSED' else 'ACTIVE' end,
      1, at, at, case when i % 100 = 7 then at end
    from (
      select i, ${NEWEST}::timestamptz - (${count}::int - i) * (interval '3650 days' / ${count}::int) as at,
        floor(random() ^ 4 * 4900)::int as f, 1 + floor(random() ^ 4 * 4899)::int as l
      from generate_series(1, ${count}::int) i
    ) x
    join names f on f.n = x.f join names l on l.n = x.l`;
  await sql`
    insert into shopper_groups
      (store_id, group_id, name, price_list_id, priority, version, created_at, updated_at)
    select ${STORE}, id, id::text, gen_random_uuid(), 1, 1, now(), now()
    from unnest(${[TENTH, FIRST_TENTH, HUNDRED]}::uuid[]) id`;
  for (
    const [id, which] of [
      [TENTH, sql`order by md5(customer_id::text) limit ${count / 10}`],
      [FIRST_TENTH, sql`order by created_at limit ${count / 10}`],
      [HUNDRED, sql`order by customer_id offset ${count / 2} limit 100`],
    ] as const
  ) {
    await sql`
      insert into customer_group_memberships (store_id, customer_id, group_id, assigned_at, assigned_by)
      select store_id, customer_id, ${id}, now(), gen_random_uuid() from customers
      where anonymized_at is null ${which}`;
  }
  for (const { definition } of indexes) await sql.unsafe(definition);
  await sql`vacuum analyze customers, customer_group_memberships`;
  await sql`checkpoint`;
  return (performance.now() - from) / 1_000;
}
