/** Pages of a completed erasure: that there were reasons and answers, without their words. */
import assert from "node:assert/strict";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { requestSettings } from "../actors/settings.ts";
import { register } from "../actors/world.ts";
import { pageOf, partOf } from "./request_pages.ts";
import { startInspector } from "./server.ts";

const HOUR = 60 * 60_000;

Deno.test("the page of a completed erasure says that reasons were removed, at every point of its history", async () => {
  const participants = ["order-service", "payment-service"];
  await using inspector = await startInspector({
    requests: await requestSettings({ graceMs: HOUR, participants }),
  });
  const { officer } = inspector;
  const shop = createRequestFixture(inspector.world);
  const request = await shop.open(await register(inspector.world), "ERASURE");
  await shop.tell(request, "hold", { ground: "LEGAL_CLAIM", reason: "born Stolvarik" }, { by: officer });
  await shop.tell(request, "extend", { reason: "Stolvarik has many orders" }, { by: officer });
  await shop.tell(request, "release", {}, { by: officer });
  assert.match(await pageOf(inspector, request.id), /born Stolvarik/);
  await shop.work(new Date(Date.now() + 2 * HOUR));
  await shop.tell(request, "participant.confirm", {
    service: "order-service",
    evidence: "kept for Stolvarik",
  });
  await shop.tell(
    request,
    "waive",
    { service: "payment-service", reason: "informed Stolvarik" },
    { by: officer },
  );
  await shop.work(new Date(Date.now() + 2 * HOUR));

  const page = await pageOf(inspector, request.id);
  const timeline = partOf(page, "timeline");
  const notes = timeline.match(/The reason was removed by the erasure of the customer/g);
  assert.equal(notes?.length, 3, "of the hold, the extension and the waiver");
  const { version } = await shop.row(request);
  for (let sequence = 1; sequence <= version; sequence++) {
    assert.doesNotMatch(await pageOf(inspector, request.id, `?at=${sequence}`), /Stolvarik/);
  }
  assert.doesNotMatch(page, /Stolvarik/);
  assert.match(page, /to three months from receipt/);
  assert.match(page, /Waived/);
});
