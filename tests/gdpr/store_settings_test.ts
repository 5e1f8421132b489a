/** Effects of a store's settings on requests and on their documents. */
import assert from "node:assert/strict";
import { createExportDownloads, exportLink } from "../../actors/gdpr/exports/downloads.ts";
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { createWorld, register, shopper, tell, type World } from "../actors/world.ts";
import { requestSettings } from "../actors/settings.ts";
import { createKeys } from "./keys.ts";
import { createRequestFixture } from "./request_fixture.ts";
import { runTask } from "./task.ts";

const HOUR = 60 * 60_000;

function changeSettings({ storeId, ...world }: World, settings: Record<string, unknown>) {
  const context = { by: { ...world.officer, storeId } };
  return tell(
    { ...world, storeId },
    { kind: "store_settings", storeId, id: storeId },
    "settings.change",
    settings,
    context,
  );
}

Deno.test("grace and participants of a store apply to its own new requests, and to no others", async () => {
  await using world = await createWorld({ requests: await requestSettings({ graceMs: HOUR }) });
  const fixture = createRequestFixture(world);
  const contextOf = async (ref: ActorRef) => (await fixture.row(ref)).snapshot.context;
  const graceOf = ({ startsAt, receivedAt }: Record<string, number>) => startsAt! - receivedAt!;
  const earlier = await fixture.open(await register(world), "ERASURE");
  await changeSettings(world, { erasureGraceHours: 72, participants: ["payment-service"] });

  const erasure = await contextOf(await fixture.open(await register(world), "ERASURE"));
  assert.deepEqual([graceOf(erasure), erasure.participants], [72 * HOUR, ["payment-service"]]);
  const access = await contextOf(await fixture.open(await register(world), "ACCESS"));
  assert.deepEqual(access.participants, ["customer-service", "payment-service"]);
  const unchanged = await contextOf(earlier);
  assert.deepEqual([graceOf(unchanged), unchanged.participants.length], [HOUR, 3]);

  const storeId = crypto.randomUUID();
  const other = { ...world, storeId, system: { ...world.system, storeId } };
  const customer = await register(other);
  const ref = { kind: "gdpr_request" as const, storeId, id: crypto.randomUUID() };
  const { id } = await tell(other, ref, "open", { customerId: customer.id, right: "ERASURE" });
  const foreign = await contextOf({ ...ref, id });
  assert.deepEqual([graceOf(foreign), foreign.participants.length], [HOUR, 3]);
  await changeSettings(world, { erasureGraceHours: 0, participants: [] });
  const bare = await contextOf(await fixture.open(await register(world), "ERASURE"));
  assert.deepEqual([graceOf(bare), bare.participants], [0, []]);
});

Deno.test("an access document is in the customer's language and says what the settings state, and nothing else", async () => {
  await using world = await createWorld({ requests: await requestSettings({ participants: [] }) });
  const keys = await createKeys();
  const api = world.database.pool("customer_api");
  const services = { READ_CUSTOMERS: ["identity-service"], GetCustomerSnapshot: ["checkout-service"] };
  const performers = createRequestPerformers(api, { async *collect() {} }, keys, {
    services,
    requiresController: true,
  });
  const fixture = createRequestFixture(world, performers);
  const downloads = createExportDownloads(api, keys, world.actors);
  const documentsOf = async (customer: ActorRef, request: ActorRef) => {
    const { storeId } = world;
    const read = async (part: string) => {
      const link = await exportLink(api, keys, { storeId, requestId: request.id });
      const token = link?.url.split("/").at(-1) ?? "";
      const { gzip } = await downloads.fetch(token, part, shopper(customer));
      return await new Response(gzip.pipeThrough(new DecompressionStream("gzip"))).text();
    };
    return { html: await read("access.html"), json: JSON.parse(await read("access.json")) };
  };

  const german = await register(world, { firstName: "Ada", locale: "de-CH" });
  const request = await fixture.open(german, "ACCESS");
  await assert.rejects(fixture.work(), {
    message:
      /the settings of the store lack controller and dataProtectionContact; enter them .*\/inspect\/settings or with PATCH \/store-settings/,
  });
  assert.equal((await fixture.row(request)).status, "IN_PROGRESS");
  const portability = await fixture.open(german, "PORTABILITY");
  await world.admin`update effects set state = 'DONE', finished_at = now() where actor_id = ${request.id}`;
  await fixture.work();
  assert.equal(
    (await fixture.row(portability)).outcome,
    "FULFILLED",
    "a portability document names no controller",
  );

  await changeSettings(world, {
    controller: { name: "Bergladen <AG>", address: "Bahnhofstrasse 1" },
    dataProtectionContact: "datenschutz@bergladen.example",
  });
  await fixture.tell(request, "retry");
  await fixture.work();
  const plain = await documentsOf(german, request);
  assert.match(plain.html, /<html lang="de">/);
  for (
    const text of ["Ihre personenbezogenen Daten", "Vorname", "Bergladen &lt;AG&gt;, Bahnhofstrasse 1", "UTC"]
  ) {
    assert.ok(plain.html.includes(text), text);
  }
  for (
    const name of ["first_name", "created_at", "identification", "UNTIL_ERASURE", "STAFF", "Rechtsgrundlage"]
  ) {
    assert.ok(!plain.html.includes(name), name);
  }
  assert.ok(!/Drittl|Profiling|Datenschutzbehörde:/.test(plain.html), "what is not stated is left out");
  const { about, sources: [own] } = plain.json;
  for (const absent of ["store", "supervisoryAuthority", "thirdCountries", "automatedDecisions"]) {
    assert.equal(absent in about, false, absent);
  }
  assert.deepEqual(Object.keys(about.rights), [
    "rectification",
    "erasure",
    "restriction",
    "portability",
    "complaint",
  ]);
  const profile = own.records.find(({ data }: { data: object }) => "first_name" in data);
  assert.deepEqual([profile.data.first_name, profile.category, profile.retention], [
    "Ada",
    "Identität",
    "solange das Konto besteht",
  ]);
  assert.deepEqual(profile.recipients, ["Personal des Shops", "identity-service", "checkout-service"]);
  const registered = own.records.find(({ data }: { data: { event?: string } }) => data.event === "register");
  assert.ok(plain.html.includes("registriert") && registered, "the JSON keeps the names of events");

  await changeSettings(world, {
    name: "Bergladen",
    supervisoryAuthority: { name: "EDÖB", complaint: "https://www.edoeb.admin.ch" },
    timeZone: "Europe/Zurich",
    languages: ["de", "fr"],
    legalBases: { identification: { basis: "CONSENT", explanation: "your registration" } },
    recipients: { identity: ["the auditor"] },
    thirdCountries: [{ country: "US", recipient: "Mailer Inc.", safeguard: "Standardvertragsklauseln" }],
    automatedDecisions: "Es gibt keine.",
  });
  const french = await register(world, { firstName: "Émilie", locale: "fr-CH" });
  const second = await fixture.open(french, "ACCESS");
  const italian = await register(world, { locale: "it-CH" });
  const third = await fixture.open(italian, "ACCESS");
  await fixture.work();
  const full = await documentsOf(french, second);
  assert.match(full.html, /<html lang="fr">/);
  for (
    const text of [
      "Vos données personnelles",
      "Bergladen",
      "EDÖB : https://www.edoeb.admin.ch",
      "Mailer Inc., États-Unis : Standardvertragsklauseln",
      '<span lang="de">Es gibt keine.</span>',
      "consentement (art. 6, par. 1, point a), RGPD): your registration",
      "Retrait du consentement",
      "the auditor",
      "#statements",
    ]
  ) assert.ok(full.html.includes(text), text);
  assert.match(full.html, /<time datetime="[^"]+">[^<]*UTC\+[12]<\/time>/);
  const named = full.json.sources[0].records.find(({ data }: { data: object }) => "first_name" in data);
  assert.equal(named.legalBasis, "consentement (art. 6, par. 1, point a), RGPD): your registration");
  assert.equal(full.json.about.automatedDecisions, "Es gibt keine.");
  assert.match(
    (await documentsOf(italian, third)).html,
    /<html lang="de">/,
    "the first language of the store",
  );

  const env = { DATABASE_URL: world.database.url };
  const record = await runTask("record_of_processing", ["--store", world.storeId], env);
  assert.deepEqual([record.code, record.stderr], [0, ""]);
  for (
    const line of [
      "# Verzeichnis von Verarbeitungstätigkeiten",
      "- **Verantwortlicher**: Bergladen \\<AG\\>, ",
    ]
  ) {
    assert.ok(record.stdout.includes(line), record.stdout);
  }
  const other = await runTask(
    "record_of_processing",
    ["--store", crypto.randomUUID(), "--language", "en"],
    env,
  );
  assert.ok(other.stdout.includes("- contact for data protection") && !other.stdout.includes("Bergladen"));
  const wrong = await runTask("record_of_processing", ["--store", "x"], env);
  assert.deepEqual([wrong.code, /^Cannot print the record: expected --store/.test(wrong.stderr)], [1, true]);
});
