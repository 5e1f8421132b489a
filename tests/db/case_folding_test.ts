/** Comparisons of names in the database: the same under every collation, by an index, and for rows of earlier versions. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { migrationNames } from "../../db/migrate.ts";
import { ADMIN_URL, createDatabase } from "../database.ts";

const MIGRATIONS = new URL("../../db/migrations/", import.meta.url);

/** Pairs that a reader takes for the same name, then pairs that differ. */
const SAME: [string, string][] = [
  ["Hopper", "HOPPER"],
  ["Mu\u0308ller", "MÜLLER"],
  ["ΣΊΣΥΦΟΣ", "σίσυφος"],
  ["ΣΊΣΥΦΟΣ", "Σίσυφοσ"],
  ["weiß", "WEISS"],
  ["WEIẞ", "weiß"],
  ["İnan", "inan"],
  ["I\u0307nan", "INAN"],
  ["IŞIK", "ışık"],
  ["ÖZTÜRK", "öztürk"],
  ["ИВАНОВ", "иванов"],
  ["ΐ", "Ϊ\u0301"],
  ["Ǆ", "ǆ"],
  ["ﬁx", "FIX"],
  ["\u212bngström", "ÅNGSTRÖM"],
  ["Gold\u200b", "gold"],
  ["\u2068Gold\u2069", "gold"],
  ["G\u3164old", "gold"],
  ["Gold \u200b", "gold"],
  ["山田\u3000太郎", "山田 太郎"],
  ["Gold\u00a0 VIP", "gold vip"],
  ["Gold  VIP", "gold vip"],
];
const DIFFERENT: [string, string][] = [
  ["Muller", "Müller"],
  ["Goldvip", "Gold VIP"],
  ["Öztürk", "Ozturk"],
  ["o'brien", "o’brien"],
];

Deno.test("names fold alike under every collation of a database", async (t) => {
  const collations = [
    "locale_provider builtin builtin_locale 'C.UTF-8'",
    "locale_provider icu icu_locale 'tr-TR'",
    "locale_provider libc locale 'C'",
  ];
  const definition = await migration("0021_case_folding.sql");
  const folding = definition.slice(0, definition.indexOf("revoke all"));
  for (const collation of collations) {
    await t.step(collation, async () => {
      const name = `folding_${crypto.randomUUID().replaceAll("-", "")}`;
      const server = postgres(ADMIN_URL, { max: 1 });
      try {
        await server.unsafe(`create database ${name} template template0 encoding 'UTF8' ${collation}`);
        const sql = postgres(Object.assign(new URL(ADMIN_URL), { pathname: `/${name}` }).href, { max: 1 });
        try {
          await sql.unsafe(folding);
          for (const [pairs, expected] of [[SAME, true], [DIFFERENT, false]] as const) {
            for (const [one, other] of pairs) {
              const [row] = await sql`select fold_case(${one}) as one, fold_case(${other}) as other`;
              assert.equal(row!.one === row!.other, expected, `${one} ${other}`);
            }
          }
          const [empty] = await sql`select fold_case(null) as none, fold_case('') as empty`;
          assert.deepEqual({ ...empty }, { none: null, empty: "" });
          for (const [whole] of SAME) {
            for (let end = 1; end <= whole.length; end++) {
              if (/^\p{M}/u.test(whole.slice(end)) || !whole.slice(0, end).isWellFormed()) continue;
              const prefix = whole.slice(0, end).trim().normalize("NFC"); // as the input schema trims it
              const [row] = await sql`select starts_with(fold_case(${whole}), fold_case(${prefix})) as holds`;
              assert.ok(row!.holds, `${prefix} begins ${whole}`);
            }
          }
        } finally {
          await sql.end();
        }
      } finally {
        await server.unsafe(`drop database if exists ${name} with (force)`);
        await server.end();
      }
    });
  }
});

Deno.test("the database blanks what the input schema calls invisible", async () => {
  await using database = await createDatabase();
  const codes = Array.from({ length: 0x110000 }, (_, code) => code)
    .filter((code) => code < 0xd800 || code > 0xdfff)
    .filter((code) => /\p{Default_Ignorable_Code_Point}/u.test(String.fromCodePoint(code)));
  assert.ok(codes.length > 4_000);
  const rows = await database.admin`
    select code from unnest(${codes}::int[]) code where fold_case('ä' || chr(code)) <> 'ä'`;
  assert.deepEqual(rows.map(({ code }) => code.toString(16)), []);
});

Deno.test("a prefix of a name is found by an index", async () => {
  await using database = await createDatabase();
  const { admin } = database;
  const storeId = crypto.randomUUID();
  await admin`
    insert into customers (store_id, customer_id, email, first_name, last_name, status, version, created_at, updated_at)
    select ${storeId}, gen_random_uuid(), i || '@example.com', 'Ölga ' || i, 'ΣΊΣΥΦΟΣ ' || i, 'ACTIVE', 1, now(), now()
    from generate_series(1, 2000) i`;
  await admin`analyze customers`;
  for (const name of ["first_name", "last_name"]) {
    const plan = await admin.unsafe(`explain (costs off) select customer_id from customers c
      where c.store_id = '${storeId}' and c.anonymized_at is null
        and fold_case(c.${name}) like fold_case('σίσυφοσ 1999%')`);
    const text = plan.map((row) => Object.values(row).join()).join("\n");
    assert.match(text, new RegExp(`customers_${name}_prefix`));
    assert.match(text, /Index Cond: .*~>=~/);
  }
});

Deno.test("rows of earlier versions are normalized, and groups of one name get different names", async () => {
  await using database = await createDatabase(false);
  const { admin } = database;
  const names = await migrationNames();
  const first = names.indexOf("0021_case_folding.sql");
  const apply = async (names: readonly string[]) => {
    for (const name of names) {
      const text = await migration(name);
      await admin.begin((tx) => tx.unsafe(`set local role customer_owner; ${text}`));
    }
  };
  await apply(names.slice(0, first));
  const [storeId, otherStore, customerId] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  const long = "\u0958".repeat(60); // becomes 120 characters, more than the column holds
  await admin`
    insert into customers (store_id, customer_id, email, first_name, last_name, status, version, created_at, updated_at)
    values (${storeId}, ${customerId}, 'a@example.com', ${"Mu\u0308ller"}, ${long}, 'ACTIVE', 3, now(), now())`;
  await admin`
    insert into customer_addresses
      (store_id, address_id, customer_id, line1, city, country, created_at, updated_at)
    values (${storeId}, gen_random_uuid(), ${customerId}, ${"Hu\u0308gel 1"}, ${"Zu\u0308rich"}, 'CH', now(), now())`;
  const groups: [store: string, name: string, deleted: boolean][] = [
    [storeId, "Ha\u0308ndler", false],
    [storeId, "Händler", false],
    [storeId, "HÄNDLER (2)", false],
    [storeId, "VIP", true],
    [storeId, "vip", false],
    [storeId, "VIP\u200b", false],
    [storeId, "x".repeat(100), false],
    [storeId, "X".repeat(100), false],
    [storeId, "Ka\u0308se", false],
    [otherStore, "Händler", false],
  ];
  for (const [at, [store, name, deleted]] of groups.entries()) {
    await admin`
      insert into shopper_groups
        (store_id, group_id, name, price_list_id, priority, version, created_at, updated_at, deleted_at)
      values (${store}, gen_random_uuid(), ${name}, gen_random_uuid(), ${at}, 4, ${new Date(
      Date.UTC(2026, 0, 1 + at),
    )},
        now(), ${deleted ? new Date() : null})`;
  }
  await apply(names.slice(first));

  const [customer] = await admin`select first_name, last_name, version from customers`;
  assert.deepEqual({ ...customer }, { firstName: "Müller", lastName: long, version: 3 });
  const [address] = await admin`select line1, city from customer_addresses`;
  assert.deepEqual({ ...address }, { line1: "Hügel 1", city: "Zürich" });
  const renamed = await admin<{ name: string; version: number }[]>`
    select name, version from shopper_groups order by priority`;
  assert.deepEqual(renamed.map(({ name, version }) => [name.normalize("NFC"), version]), [
    ["Händler", 4],
    ["Händler (3)", 5],
    ["HÄNDLER (2)", 4],
    ["VIP", 4],
    ["vip", 4],
    ["VIP\u200b (2)", 5],
    ["x".repeat(100), 4],
    [`${"X".repeat(96)} (2)`, 5],
    ["Käse", 4],
    ["Händler", 4],
  ]);
  const journal = await admin`
    select g.priority, e.sequence, e.event_type, e.changed_fields from actor_events e
    join shopper_groups g on g.group_id = e.actor_id order by priority`;
  assert.deepEqual(
    journal.map((row) => Object.values(row)),
    [1, 5, 7].map((priority) => [
      priority,
      5,
      "group.update",
      ["name"],
    ]),
  );
});

function migration(name: string): Promise<string> {
  return Deno.readTextFile(new URL(name, MIGRATIONS));
}
