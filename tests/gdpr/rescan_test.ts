/** The re-scan of an erasure: it reads in slices, matches in linear time, and long values or histories do not stop it. */
import assert from "node:assert/strict";
import { digestValues, quotationFinder } from "../../actors/gdpr/requests/value_digests.ts";
import { readMachineTexts } from "../../db/machine_texts.ts";
import { createWorld, register, tell } from "../actors/world.ts";
import { requestSettings } from "../actors/settings.ts";
import { assertLinear } from "../growth.ts";
import { createRequestFixture } from "./request_fixture.ts";

const SALT = "a";

/** Distinct Chinese letters, from a position on. */
function chinese(from: number, length: number): string {
  return Array.from({ length }, (_, at) => String.fromCodePoint(0x4e00 + (from + at * 7) % 20_000)).join("");
}

Deno.test("an erasure of twelve long Chinese addresses and a history of 20,000 events begins and ends", async () => {
  await using world = await createWorld({ requests: await requestSettings({ participants: [] }) });
  const fixture = createRequestFixture(world);
  const customer = await register(world);
  for (let at = 0; at < 12; at++) {
    await tell(world, customer, "address.add", {
      line1: chinese(at * 1_400, 200),
      line2: chinese(at * 1_400 + 1, 200),
      city: chinese(at * 1_400 + 2, 100),
      state: chinese(at * 1_400 + 3, 100),
      postalCode: chinese(at * 1_400 + 4, 20),
      country: "CN",
    });
  }
  await world.admin`
    insert into actor_events (store_id, actor_kind, actor_id, sequence, event_type, state_after, principal_id,
      principal_type, changed_fields, at)
    select ${world.storeId}, 'customer', ${customer.id}, n, 'profile.update', 'active', ${customer.id}, 'CUSTOMER',
      '{first_name}', now() from generate_series(1000, 21000) n`;
  const erasure = await fixture.open(customer, "ERASURE");
  await fixture.work();
  const { outcome, cleared } = await fixture.row(erasure);
  assert.deepEqual([outcome, cleared.traces], ["FULFILLED", []]);
});

Deno.test("texts of machines are read in slices, without a row twice or left out", async () => {
  await using world = await createWorld();
  const customer = await register(world);
  const sql = world.database.pool("customer_api");
  const read = async () => {
    const slices = await Array.fromAsync(readMachineTexts(sql, world.storeId, customer.id));
    assert.ok(slices.every((texts) => texts.length <= 2 * 500), "a slice is bounded");
    return { slices: slices.length, texts: slices.flat().filter((text) => text.startsWith("field-")) };
  };
  const insert = async (from: number, to: number) =>
    void await world.admin`
      insert into actor_events (store_id, actor_kind, actor_id, sequence, event_type, state_after, principal_id,
        principal_type, changed_fields, at)
      select ${world.storeId}, 'customer', ${customer.id}, n, 'profile.update', 'active', ${customer.id}, 'CUSTOMER',
        array['field-' || n], now() from generate_series(${from}::int, ${to}::int) n`;
  const none = await read();
  await insert(2, 1_500);
  const once = await read();
  await insert(1_501, 3_000);
  const twice = await read();
  assert.deepEqual(once.texts, Array.from({ length: 1_499 }, (_, at) => `field-${at + 2}`));
  assert.deepEqual(twice.texts, Array.from({ length: 2_999 }, (_, at) => `field-${at + 2}`));
  assert.deepEqual([once.slices - none.slices, twice.slices - once.slices], [3, 3], "linear");
  const other = await register(world);
  const others = await Array.fromAsync(readMachineTexts(sql, world.storeId, other.id));
  assert.ok(!others.flat().some((text) => text.startsWith("field-")), "of another customer");
  const elsewhere = await Array.fromAsync(readMachineTexts(sql, crypto.randomUUID(), customer.id));
  assert.deepEqual(elsewhere.flat(), [], "of another store");
});

Deno.test("a text quotes a value as whole words, in any case, form and punctuation", () => {
  const values = ["Ada", "Lovelace-King", "augusta@lovelace.example", "Straße 5", "Al", "王伟明", "…"];
  const quotes = quotationFinder(digestValues(values, SALT), SALT);
  for (
    const text of [
      "ADA",
      "for Ada, who",
      "lovelace king",
      "<Augusta@Lovelace.Example>",
      "straße 5!",
      "(王伟明)",
      "A\u0064a",
    ]
  ) assert.ok(quotes(text), text);
  for (
    const text of ["", "Adam", "Lovelace", "Al", "adaptation", "augusta@other.example", "first_name", "王伟"]
  ) {
    assert.ok(!quotes(text), text);
  }
  assert.ok(!quotationFinder(digestValues(values, "b"), SALT)("Ada"), "another salt");
  assert.ok(!quotationFinder([], SALT)("Ada"));
});

Deno.test("matching takes linear time in the values and in the texts", async () => {
  await assertLinear("values", 250, (size) => {
    const values = Array.from({ length: size }, (_, at) => chinese(at, 100));
    return () => {
      const quotes = quotationFinder(digestValues(values, SALT), SALT);
      for (let at = 0; at < size; at++) quotes(`text ${at}`);
    };
  });
  await assertLinear("a long text", 600, (size) => {
    const quotes = quotationFinder(digestValues(["a b c", "d e", "f"], SALT), SALT);
    return () => quotes("x y ".repeat(size / 2));
  });
});
