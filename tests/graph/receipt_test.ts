/** What a shopper reads about an erasure: the store's reasons, and the receipt after the account is gone. */
import assert from "node:assert/strict";
import { checkReceipts } from "../../actors/gdpr/receipts/check.ts";
import { VERIFY_COMMAND } from "../../actors/gdpr/receipts/page.ts";
import { receiptLink } from "../../actors/gdpr/receipts/link.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { createHttpApp } from "../../http/mod.ts";
import { createReceipts } from "../../rest/receipts.ts";
import { PARTICIPANTS, requestSettings } from "../actors/settings.ts";
import { register, shopper } from "../actors/world.ts";
import { createKeys } from "../gdpr/keys.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { noLimits } from "../rest/server.ts";
import { registerShopper, startGraph } from "./server.ts";

const READ = `query ($id: ID!) { gdprRequest(id: $id) { status outcome reason receipt { url issuedAt } } }`;
const open = (right: string) =>
  `mutation { request${right} { request { id reason receipt { url issuedAt } } } }`;
const HOUR_MS = 60 * 60_000;

Deno.test("a shopper reads the reason of a hold, an extension, a cancellation and a refusal, and no note", async () => {
  await using graph = await startGraph({
    world: { requests: await requestSettings({ graceMs: HOUR_MS }) },
    receiptLinkKeys: (await createKeys()).receiptLinkKeys,
  });
  const { world } = graph;
  const shop = createRequestFixture(world);
  const { as } = await registerShopper(world);
  const { as: eve } = await registerShopper(world);
  const by = { by: world.officer };
  const start = async () => {
    const { id } = (await graph.ask(open("Erasure"), { as })).data.requestErasure.request;
    const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id };
    const tell = (type: string, fields: object = {}) =>
      shop.tell(ref, type, { ...fields, note: "internal" }, by);
    const read = async () => (await graph.ask(READ, { as, variables: { id } })).data.gdprRequest;
    return { id, tell, read };
  };
  const first = await start();
  assert.equal((await first.read()).reason, null);
  await first.tell("extend", { reason: "many sources" });
  assert.equal((await first.read()).reason, "many sources");
  await first.tell("hold", { ground: "LEGAL_CLAIM", reason: "an unpaid invoice" });
  assert.equal((await first.read()).reason, "an unpaid invoice");
  await first.tell("release");
  assert.equal((await first.read()).reason, "many sources", "the hold has ended");
  await first.tell("cancel", { reason: "withdrawn by letter" });
  const canceled = await first.read();
  assert.deepEqual([canceled.outcome, canceled.reason], ["CANCELLED", "withdrawn by letter"]);
  assert.equal(canceled.receipt, null, "an erasure that did not happen has no receipt");

  const second = await start();
  await second.tell("refuse", { reason: "the law requires the data", ground: "LEGAL_OBLIGATION" });
  assert.equal((await second.read()).reason, "the law requires the data");
  const list = "{ gdprRequests { nodes { reason } } me { gdprRequests { nodes { reason } } } }";
  const mine = await graph.ask(list, { as });
  const reasons = [{ reason: "the law requires the data" }, { reason: "withdrawn by letter" }];
  assert.deepEqual(mine.data, { gdprRequests: { nodes: reasons }, me: { gdprRequests: { nodes: reasons } } });
  assert.doesNotMatch(mine.text, /internal/);
  const { text } = await graph.ask(READ, { as: eve, variables: { id: second.id } });
  assert.match(text, /NOT_FOUND/);
  assert.doesNotMatch(text, /law/);

  // A cancellation without a reason by the shopper, and the removal of every reason by the erasure.
  const third = await start();
  await shop.tell({ kind: "gdpr_request", storeId: world.storeId, id: third.id }, "cancel", {}, { by: as });
  assert.deepEqual([(await third.read()).outcome, (await third.read()).reason], ["CANCELLED", null]);
  const fourth = await start();
  await fourth.tell("extend", { reason: "many sources" });
  await shop.work(new Date(Date.now() + 2 * HOUR_MS));
  assert.equal((await fourth.read()).status, "IN_PROGRESS");
  for (const { read } of [first, second, fourth]) assert.equal((await read()).reason, null);
});

Deno.test("a browser gets the receipt as a page in the reader's language, whose files OpenSSL verifies", async () => {
  const keys = await createKeys();
  await using graph = await startGraph({
    world: { requests: await requestSettings({ graceMs: 0, participants: PARTICIPANTS.slice(0, 2) }) },
    receiptLinkKeys: keys.receiptLinkKeys,
  });
  const { world } = graph;
  const fixture = createRequestFixture(world);
  const customer = await register(world, { firstName: "Grete", phone: "+41445551234" });
  const request = await fixture.open(customer, "ERASURE", {}, { by: shopper(customer) });
  await fixture.work();
  await fixture.tell(request, "participant.confirm", { service: PARTICIPANTS[0], evidence: "2 orders" });
  await fixture.tell(request, "waive", { service: PARTICIPANTS[1], reason: "the service is gone" });
  await fixture.work();
  const app = createHttpApp({ corsOrigins: [] }).route(
    "/receipts",
    createReceipts({
      reader: createStoreReader(world.database.pool("customer_api")),
      receiptLinkKeys: keys.receiptLinkKeys,
      limits: await noLimits(),
    }),
  );
  const url = await receiptLink(keys.receiptLinkKeys, { storeId: world.storeId, requestId: request.id });
  const get = (headers: Record<string, string>) => app.request(url, { headers });
  assert.equal((await get({ accept: "*/*" })).headers.get("content-type"), "application/json");
  const browser = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
  const response = await get({ ...browser, "accept-language": "de-CH,de;q=0.9,en;q=0.5" });
  const page = await response.text();
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(
    policy,
    /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; frame-ancestors 'none'$/,
  );
  for (
    const sentence of [
      "Die Person hat die Löschung beantragt.",
      "Kontakt: 2 Werte",
      "Identität: 1 Wert",
      `${PARTICIPANTS[0]} hat am `,
      `Auf die Bestätigung von ${PARTICIPANTS[1]} wurde nicht gewartet.`,
      "fand danach keinen persönlichen Wert",
    ]
  ) assert.ok(page.includes(sentence), sentence);
  assert.doesNotMatch(page, /Grete|5551234|2 orders|service is gone|<script/);
  const languages = {
    "xx!": "en",
    "en;q=0.5, fr-CH;q=0.8": "fr",
    "rm, it;q=0.9, en;q=0.8": "it",
    "de;q=0, en": "en",
  };
  for (const [accepted, language] of Object.entries(languages)) {
    const text = await (await get({ ...browser, "accept-language": accepted })).text();
    assert.ok(text.includes(`<html lang="${language}">`), `${accepted}: ${text.slice(0, 60)}`);
  }

  const folder = await Deno.makeTempDir({ prefix: "customer-service-receipt-" });
  try {
    for (const [, name, base64] of page.matchAll(/download="([^"]+)" href="data:[^,]+;base64,([^"]+)"/g)) {
      await Deno.writeFile(`${folder}/${name}`, Uint8Array.fromBase64(base64!));
    }
    const [command = "", ...args] = VERIFY_COMMAND.split(" ");
    const verify = () => new Deno.Command(command, { args, cwd: folder }).output();
    assert.equal((await verify()).code, 0);
    const signed = await Deno.readTextFile(`${folder}/signed.json`);
    await Deno.writeTextFile(`${folder}/signed.json`, signed.replace("CONFIRMED", "CONFIRMEd"));
    assert.notEqual((await verify()).code, 0, "a changed text is not signed");
    const text = await Deno.readTextFile(`${folder}/receipt.json`);
    const [checked] = await checkReceipts([{ name: "receipt.json", text }], []);
    assert.ok(checked?.findings.every(({ verdict }) => verdict !== "failed"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the link to a receipt works without a token once the account is erased, and verifies offline", async () => {
  const keys = await createKeys();
  const [current, earlier] = keys.receiptLinkKeys as [CryptoKey, CryptoKey];
  await using graph = await startGraph({
    world: { requests: { ...await requestSettings({ graceMs: 0 }) } },
    receiptLinkKeys: keys.receiptLinkKeys,
  });
  const { world } = graph;
  const reader = createStoreReader(world.database.pool("customer_api"));
  let counted = 0;
  const limits = await noLimits({ perAddress: () => Promise.resolve(++counted > 100 ? 30 : undefined) });
  const app = createHttpApp({ corsOrigins: [] }).route(
    "/receipts",
    createReceipts({ reader, receiptLinkKeys: keys.receiptLinkKeys, limits }),
  );
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await app.request(path, init);
    return { response, status: response.status, text: await response.text() };
  };
  const shop = createRequestFixture(world);
  const { ref, as } = await registerShopper(world, { firstName: "Katherine" });
  const { as: eve } = await registerShopper(world);
  const { id, receipt } = (await graph.ask(open("Erasure"), { as })).data.requestErasure.request;
  assert.equal(receipt.issuedAt, null);
  assert.match(receipt.url, /^\/receipts\/[\w-]+$/);
  assert.ok(!receipt.url.includes(id) && !receipt.url.includes(ref.id));

  const early = await get(receipt.url);
  assert.deepEqual([early.status, JSON.parse(early.text).code], [404, "NOT_FOUND"]);
  assert.match(early.text, /it is not complete/);
  await shop.work();
  const request = { kind: "gdpr_request" as const, storeId: ref.storeId, id };
  for (const service of PARTICIPANTS) await shop.tell(request, "participant.confirm", { service });
  await shop.work();

  const access = (await graph.ask(open("Access"), { as: eve })).data.requestAccess.request;
  assert.equal(access.receipt, null, "only an erasure has a receipt");

  // With the last token of the shopper the same link, and for others none.
  const { data } = await graph.ask(READ, { as, variables: { id } });
  assert.deepEqual([data.gdprRequest.outcome, data.gdprRequest.receipt.url], ["FULFILLED", receipt.url]);
  assert.ok(Math.abs(Date.parse(data.gdprRequest.receipt.issuedAt) - Date.now()) < 60_000);
  const foreign = { ...shopper(ref), storeId: crypto.randomUUID() };
  for (const other of [eve, foreign, world.staff, world.system, undefined]) {
    const answer = await graph.ask(READ, { ...(other && { as: other }), variables: { id } });
    assert.doesNotMatch(answer.text, /receipts/);
  }

  const { response, status, text } = await get(receipt.url);
  assert.equal(status, 200);
  assert.equal(
    response.headers.get("content-disposition"),
    `attachment; filename="erasure-receipt-${id}.json"`,
  );
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("referrer-policy"), "no-referrer");
  assert.equal((await get(receipt.url, { method: "HEAD" })).status, 200);
  const posted = await get(receipt.url, { method: "POST" });
  assert.deepEqual([posted.status, posted.response.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
  const { document, publicKey } = JSON.parse(text);
  assert.ok(!/Katherine/.test(text));
  assert.deepEqual([document.requestId, document.customerId], [id, ref.id]);
  assert.ok(document.columns.customers.includes("email") && document.columns.actor_events.includes("note"));
  assert.deepEqual(
    document.participants.map(({ service }: { service: string }) => service).sort(),
    [
      ...PARTICIPANTS,
    ].sort(),
  );
  const [checked] = await checkReceipts([{ name: "receipt.json", text }], [Uint8Array.fromBase64(publicKey)]);
  assert.deepEqual(checked?.findings.filter(({ verdict }) => verdict === "failed"), []);

  // A replaced key leaves earlier links valid. Every other token finds nothing, whatever it is.
  const key = { storeId: ref.storeId, requestId: id };
  assert.equal((await get(await receiptLink([earlier], key))).status, 200);
  const stranger = (await createKeys()).receiptLinkKeys;
  const other = { storeId: crypto.randomUUID(), requestId: id };
  const cases = [
    await receiptLink(stranger, key),
    await receiptLink([current], other),
    await receiptLink([current], { ...key, requestId: crypto.randomUUID() }),
    receipt.url.slice(0, -1),
    `${receipt.url.slice(0, -2)}AA`,
    `/receipts/${id}`,
  ];
  for (const path of cases) {
    const refused = await get(path);
    assert.deepEqual([path, refused.status, JSON.parse(refused.text).code], [path, 404, "NOT_FOUND"]);
    assert.doesNotMatch(refused.text, /document|signature/);
  }

  // Attempts count against the address.
  counted = 100;
  const limited = await get(receipt.url);
  assert.deepEqual([limited.status, limited.response.headers.get("retry-after")], [429, "30"]);
});
