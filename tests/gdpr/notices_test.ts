/** Notices to customers about requests: their rows, their messages and their recipients. */
import assert from "node:assert/strict";
import { createNoticeReader } from "../../actors/gdpr/notices/read.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { PARTICIPANTS, requestSettings } from "../actors/settings.ts";
import { createWorld, register, shopper, tell } from "../actors/world.ts";
import { createKeys } from "./keys.ts";
import { createRequestFixture } from "./request_fixture.ts";

Deno.test("debug: refusal", async () => {
  await using world = await createWorld();
  const fixture = createRequestFixture(world);
  const customer = await register(world, { locale: "de-CH" });
  const request = await fixture.open(customer, "ACCESS", {}, { by: shopper(customer) });
  await fixture.tell(request, "extend", { reason: "many orders" });
  await fixture.tell(request, "refuse", { reason: "repeated each week", ground: "EXCESSIVE" });
  const rows = await world.admin`select * from gdpr_notices order by created_at, notice_id`;
  console.log([...rows]);
  const read = createNoticeReader(
    createStoreReader(world.database.pool("customer_api")),
    (await createKeys()).hashKeys,
  );
  for (const { noticeId } of rows) console.log(await read({ storeId: world.storeId, noticeId }));
  console.log([...await world.admin`select topic, key, payload from outbox where topic = 'gdpr.notice_due'`]);
  const erasure = await fixture.open(customer, "ERASURE", {}, { by: shopper(customer) });
  await fixture.work();
  for (const service of PARTICIPANTS) await fixture.tell(erasure, "participant.confirm", { service });
  await fixture.work();
  for (
    const { noticeId } of await world.admin`select notice_id from gdpr_notices order by created_at, notice_id`
  ) {
    console.log(await read({ storeId: world.storeId, noticeId }));
    await tell(world, { kind: "gdpr_notice", storeId: world.storeId, id: noticeId }, "deliver");
  }
  console.log([
    ...await world
      .admin`select kind, delivery, attempts, sealed_recipient, version from gdpr_notices order by created_at, notice_id`,
  ]);
});
