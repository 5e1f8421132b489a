import assert from "node:assert/strict";
import { createAnswers } from "../../actors/runtime/idempotency.ts";
import type { Principal } from "../../domain/principal.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { newTraceparent } from "../../lib/trace_context.ts";
import { ADDRESS, createWorld, customerRef, register, tell } from "./world.ts";

Deno.test("commands under an idempotency key", async (t) => {
  await using world = await createWorld();
  const { admin } = world;
  const countAddresses = async (customerId: string) =>
    (await admin`select 1 from customer_addresses where customer_id = ${customerId}`).length;

  await t.step("the same command twice is carried out once and answered alike", async () => {
    const ref = await register(world);
    const first = await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "once" });
    await tell(world, ref, "profile.update", { firstName: "Ada" });
    assert.deepEqual(await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "once" }), first);
    assert.equal(await countAddresses(ref.id), 1);
  });

  await t.step("twenty at once under one key are carried out once and answered alike", async () => {
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

  await t.step("a repeated registration is answered alike, not refused as a duplicate", async () => {
    const ref = customerRef(world);
    const fields = { email: "once@example.com" };
    const first = await tell(world, ref, "register", fields, { idempotencyKey: "register" });
    assert.deepEqual(await tell(world, ref, "register", fields, { idempotencyKey: "register" }), first);
  });

  /** Without an id of the test's own. */
  const registerNew = (email: string, idempotencyKey: string) =>
    world.actors.send({ kind: "customer", storeId: world.storeId }, { type: "register", email }, {
      by: world.system,
      traceparent: newTraceparent(),
      idempotencyKey,
    });

  await t.step("twenty at once that leave the id to the runtime make one actor", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => registerNew("drawn@example.com", "drawn")),
    );
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    const rows = await admin`select customer_id from customers where email = 'drawn@example.com'`;
    assert.deepEqual(rows.map(({ customerId }) => customerId), [answers[0]?.id]);
  });

  await t.step("another body under the same key is refused and changes nothing", async () => {
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

  await t.step("the same key belongs to one customer only", async () => {
    const [ref, other] = [await register(world), await register(world)];
    await tell(world, ref, "profile.update", { firstName: "Ada" }, { idempotencyKey: "two customers" });
    const sending = tell(world, other, "profile.update", { firstName: "Ada" }, {
      idempotencyKey: "two customers",
    });
    await assert.rejects(sending, { code: "INVALID_INPUT" });
  });

  await t.step("the same key serves another principal and another store apart", async () => {
    const ref = await register(world);
    await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "shared" });
    await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "shared", by: world.staff });
    assert.equal(await countAddresses(ref.id), 2);
  });

  await t.step("the same key does not serve a principal of another type under the same ID", async () => {
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
    assert.ok(await createAnswers(createStoreReader(api), system)("one ID"));
    assert.equal(await createAnswers(createStoreReader(api), staff)("one ID"), undefined);
  });

  await t.step("an answer that an earlier version has stored, without a type, is still given", async () => {
    const ref = await register(world);
    const first = await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "earlier" });
    await admin`update idempotency_keys set principal_type = null`;
    assert.deepEqual(await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "earlier" }), first);
    assert.ok(
      await createAnswers(createStoreReader(world.database.pool("customer_api", 1)), world.system)("earlier"),
    );
  });

  await t.step("a refused command leaves its key free", async () => {
    const ref = await register(world);
    const stale = tell(world, ref, "profile.update", { firstName: "Ada" }, {
      idempotencyKey: "free",
      expectedVersion: 7,
    });
    await assert.rejects(stale, { code: "CONFLICT" });
    const answer = await tell(world, ref, "profile.update", { firstName: "Ada" }, { idempotencyKey: "free" });
    assert.equal(answer.version, 2);
  });

  await t.step("an expired key can be used anew", async () => {
    const ref = await register(world);
    await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "expired" });
    await admin`update idempotency_keys set expires_at = now() - interval '1 second'`;
    await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "expired" });
    assert.equal(await countAddresses(ref.id), 2);
    const { id } = await registerNew("first@example.com", "register anew");
    await admin`update idempotency_keys set expires_at = now() - interval '1 second'`;
    assert.notEqual((await registerNew("second@example.com", "register anew")).id, id);
  });

  await t.step("neither the key nor the request stands in the table", async () => {
    const ref = await register(world);
    const key = "ada.lovelace@example.com";
    await tell(world, ref, "profile.update", { firstName: "Augusta" }, { idempotencyKey: key });
    const [table] = await admin`select string_agg(k::text, ' ') as text from idempotency_keys k`;
    assert.ok(!/ada\.lovelace|Augusta/.test(table?.text));
  });
});
