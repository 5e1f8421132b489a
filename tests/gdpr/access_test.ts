/** Access request from its opening to its documents, with a participant that fails at first. */
import assert from "node:assert/strict";
import { createExportDownloads, exportLink } from "../../actors/gdpr/exports/downloads.ts";
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import { type Delivery, type ParticipantClient, ParticipantError } from "../../actors/gdpr/types.ts";
import { ADDRESS, createWorld, register, shopper, tell } from "../actors/world.ts";
import { createRequestFixture } from "./request_fixture.ts";
import { createKeys } from "./keys.ts";

const DELIVERY: Delivery = {
  cursor: "1",
  record: {
    category: "order",
    purpose: "to fulfil it",
    retention: "ten years",
    recipients: ["the carrier"],
    data: { number: "A-1001", total: "49.90" },
    recordedAt: "2026-03-01T10:00:00.000Z",
  },
};

Deno.test("an access request collects from every participant, retries those that fail, and completes with documents", async () => {
  await using world = await createWorld();
  const keys = await createKeys();
  let failures = 2;
  const peers: ParticipantClient = {
    async *collect(service) {
      if (service === "payment-service" && failures-- > 0) {
        throw new ParticipantError("UNREACHABLE", "Cannot collect: the participant is unavailable");
      }
      if (service === "order-service") yield DELIVERY;
    },
  };
  const api = world.database.pool("customer_api");
  const fixture = createRequestFixture(world, createRequestPerformers(api, peers, keys));
  const ref = await register(world, { firstName: "Grace", lastName: "Hopper" });
  await tell(world, ref, "address.add", ADDRESS);

  const request = await fixture.open(ref, "ACCESS", {}, { by: shopper(ref) });
  await fixture.work();
  const waiting = await world
    .admin`select service, state, last_error from gdpr_participants order by service`;
  assert.deepEqual(waiting.map((row) => [row.service, row.state, row.lastError]), [
    ["communication-service", "RECEIVED", null],
    ["customer-service", "RECEIVED", null],
    ["order-service", "RECEIVED", null],
    ["payment-service", "RETRYING", "UNREACHABLE"],
  ]);
  assert.equal((await fixture.row(request)).status, "IN_PROGRESS");
  assert.equal(await exportLink(api, keys, { storeId: world.storeId, requestId: request.id }), undefined);

  await fixture.work(new Date(Date.now() + 24 * 60 * 60_000)); // later than every pause between attempts
  const completed = await fixture.row(request);
  assert.deepEqual([completed.status, completed.outcome], ["COMPLETED", "FULFILLED"]);

  const link = await exportLink(api, keys, { storeId: world.storeId, requestId: request.id });
  const token = link?.url.split("/").at(-1) ?? "";
  const downloads = createExportDownloads(api, keys, world.actors);
  const { gzip } = await downloads.fetch(token, "access.json", shopper(ref));
  const document = await new Response(gzip.pipeThrough(new DecompressionStream("gzip"))).text();
  for (const value of ["Hopper", ADDRESS.line1, "A-1001", "the carrier", "ten years"]) {
    assert.ok(document.includes(value), value);
  }
  await assert.rejects(downloads.fetch(token, "access.json", shopper(ref)), { name: "ExportGone" });
});

Deno.test("participants get the hashes of every email of the customer, for access as for an erasure", async () => {
  await using world = await createWorld();
  const keys = await createKeys();
  const asked: unknown[] = [];
  const peers: ParticipantClient = {
    // deno-lint-ignore require-yield -- it has no data
    async *collect(service, { emailHashes }) {
      if (service === "order-service") asked.push(emailHashes);
    },
  };
  const fixture = createRequestFixture(world, {
    ...createRequestPerformers(world.database.pool("customer_api"), peers, keys),
  });
  const emails = ["grace@example.com", "hopper@example.com"];
  const ref = await register(world, { email: emails[0] });
  const other = await register(world);
  await tell(world, ref, "profile.update", { email: emails[1] });
  for (const right of ["ACCESS", "PORTABILITY"]) await fixture.open(ref, right);
  await fixture.work();
  const byHash = (one: { hash: string }, another: { hash: string }) => one.hash < another.hash ? -1 : 1;
  const sorted = (hashes: unknown) => (hashes as { keyId: string; hash: string }[]).toSorted(byHash);
  assert.equal(asked.length, 2);
  assert.equal(sorted(asked[0]).length, emails.length, "one for each email");
  assert.deepEqual(sorted(asked[0]), sorted(asked[1]));
  const text = JSON.stringify(asked);
  for (const email of emails) assert.ok(!text.includes(email));

  await fixture.open(other, "ACCESS");
  await fixture.work();
  assert.equal(sorted(asked[2]).length, 1);
  assert.ok(!sorted(asked[0]).some(({ hash }) => hash === sorted(asked[2])[0]?.hash), "of another customer");
});
