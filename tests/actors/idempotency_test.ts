import assert from "node:assert/strict";
import { createAnswers } from "../../actors/runtime/idempotency.ts";
import type { Principal } from "../../domain/principal.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { newTraceparent } from "../../lib/trace_context.ts";
import { sha256 } from "../../lib/hash.ts";
import { requestSettings } from "./settings.ts";
import { ADDRESS, createWorld, customerRef, register, tell } from "./world.ts";

Deno.test("commands under an idempotency key", async (t) => {
  await using world = await createWorld();
  const { admin } = world;
  const { hashKey } = await requestSettings();
  const countAddresses = async (customerId: string) =>
    (await admin`select 1 from customer_addresses where customer_id = ${customerId}`).length;

  await t.step("a repeated command runs once and returns the same answer", async () => {
    const ref = await register(world);
    const first = await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "once" });
    await tell(world, ref, "profile.update", { firstName: "Ada" });
    assert.deepEqual(await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "once" }), first);
    assert.equal(await countAddresses(ref.id), 1);
  });

  await t.step("twenty concurrent commands under one key run once and return the same answer", async () => {
    const ref = await register(world);
    const answers = await Promise.all(
      Array.from(
        { length: 20 },
        () => tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "at once" }),
      ),
    );
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.equal(await countAddresses(ref.id), 1);
  });

  await t.step("a repeated registration returns the same answer, not ALREADY_EXISTS", async () => {
    const ref = customerRef(world);
    const fields = { email: "once@example.com" };
    const first = await tell(world, ref, "register", fields, { idempotencyKey: "register" });
    assert.deepEqual(await tell(world, ref, "register", fields, { idempotencyKey: "register" }), first);
  });

  /** Registers a customer whose ID the runtime generates. */
  const registerNew = (email: string, idempotencyKey: string) =>
    world.actors.send({ kind: "customer", storeId: world.storeId }, { type: "register", email }, {
      by: world.system,
      traceparent: newTraceparent(),
      idempotencyKey,
    });

  await t.step("twenty concurrent registrations without an ID create one customer", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => registerNew("generated@example.com", "generated")),
    );
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    const rows = await admin`select customer_id from customers where email = 'generated@example.com'`;
    assert.deepEqual(rows.map(({ customerId }) => customerId), [answers[0]?.id]);
  });

  await t.step("a different command under the same key is refused and changes nothing", async () => {
    const ref = await register(world);
    await tell(world, ref, "profile.update", { firstName: "Ada" }, { idempotencyKey: "body" });
    const other = tell(world, ref, "profile.update", { firstName: "Grace" }, { idempotencyKey: "body" });
    await assert.rejects(other, { code: "INVALID_INPUT" });
    const [row] = await admin`select first_name from customers where customer_id = ${ref.id}`;
    assert.equal(row?.firstName, "Ada");
  });

  await t.step("an empty key is refused", async () => {
    const ref = await register(world);
    const sending = tell(world, ref, "profile.update", { firstName: "Ada" }, { idempotencyKey: "" });
    await assert.rejects(sending, { code: "INVALID_INPUT" });
  });

  await t.step("a key that was used for one customer is refused for another", async () => {
    const [ref, other] = [await register(world), await register(world)];
    await tell(world, ref, "profile.update", { firstName: "Ada" }, { idempotencyKey: "two customers" });
    const sending = tell(world, other, "profile.update", { firstName: "Ada" }, {
      idempotencyKey: "two customers",
    });
    await assert.rejects(sending, { code: "INVALID_INPUT" });
  });

  await t.step("another principal may use the same key", async () => {
    const ref = await register(world);
    await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "shared" });
    await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "shared", by: world.staff });
    assert.equal(await countAddresses(ref.id), 2);
  });

  await t.step("a principal of another type with the same ID is refused the same key", async () => {
    const ref = await register(world);
    const { system } = world;
    const key = { idempotencyKey: "one ID" };
    await tell(world, ref, "address.add", ADDRESS, key);
    const staff: Principal = { ...system, type: "STAFF", roles: ["CUSTOMER_MANAGER"] };
    await assert.rejects(tell(world, ref, "address.add", ADDRESS, { ...key, by: staff }), {
      code: "INVALID_INPUT",
    });
    assert.equal(await countAddresses(ref.id), 1);
    const api = world.database.pool("customer_api", 1);
    assert.ok(await createAnswers(createStoreReader(api), system, hashKey)("one ID"));
    assert.equal(await createAnswers(createStoreReader(api), staff, hashKey)("one ID"), undefined);
  });

  await t.step("an answer that an earlier version stored without a principal type is returned", async () => {
    const ref = await register(world);
    const first = await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "earlier" });
    await admin`update idempotency_keys set principal_type = null`;
    assert.deepEqual(await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "earlier" }), first);
    assert.ok(
      await createAnswers(createStoreReader(world.database.pool("customer_api", 1)), world.system, hashKey)(
        "earlier",
      ),
    );
  });

  await t.step("a refused command does not use its key", async () => {
    const ref = await register(world);
    const stale = tell(world, ref, "profile.update", { firstName: "Ada" }, {
      idempotencyKey: "free",
      expectedVersion: 7,
    });
    await assert.rejects(stale, { code: "CONFLICT" });
    const answer = await tell(world, ref, "profile.update", { firstName: "Ada" }, { idempotencyKey: "free" });
    assert.equal(answer.version, 2);
  });

  await t.step("an expired key can be used again", async () => {
    const ref = await register(world);
    await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "expired" });
    await admin`update idempotency_keys set expires_at = now() - interval '1 second'`;
    await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "expired" });
    assert.equal(await countAddresses(ref.id), 2);
    const { id } = await registerNew("first@example.com", "register again");
    await admin`update idempotency_keys set expires_at = now() - interval '1 second'`;
    assert.notEqual((await registerNew("second@example.com", "register again")).id, id);
  });

  await t.step("the table contains neither the key nor the command", async () => {
    const ref = await register(world);
    const key = "ada.lovelace@example.com";
    await tell(world, ref, "profile.update", { firstName: "Augusta" }, { idempotencyKey: key });
    const [table] = await admin`select string_agg(k::text, ' ') as text from idempotency_keys k`;
    assert.ok(!/ada\.lovelace|Augusta/.test(table?.text));
    const hashes = [key, key.toLowerCase()].map((text) => sha256(text).toHex());
    for (const hash of hashes) assert.ok(!table?.text.includes(hash), "a hash that a list of emails opens");
  });
});
