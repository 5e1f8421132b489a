/** Documents of an export: content, escaping of hostile values, and the manifest. */
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { CollectedRecord } from "../../actors/gdpr/types.ts";
import {
  collect,
  createExportWorld,
  documentText,
  type ExportRequest,
  exportStore,
  type ExportWorld,
  insertExportRequest,
  NEVER,
  record,
  sha256,
} from "./export_fixture.ts";

const EVIL = `</dd><script>alert(1)</script><img src=x onerror='alert(1)'>"'><!--&amp;\u0000\u202e`;

/** Record with markup in every value that a participant sets. */
const HOSTILE: CollectedRecord = {
  category: `category ${EVIL}`,
  purpose: `purpose ${EVIL}`,
  retention: `retention ${EVIL}`,
  recipients: [`recipient ${EVIL}`, ""],
  recordedAt: `recordedAt ${EVIL}`,
  data: {
    [`name ${EVIL}`]: `value ${EVIL}`,
    list: [`item ${EVIL}`, { [`inner ${EVIL}`]: [[`innermost ${EVIL}`]] }, [], {}, null, "", 0, false],
    deep: JSON.parse(`${'{"a":['.repeat(300)}"depth </dd><script>"${"]}".repeat(300)}`),
    ["__proto__"]: "proto",
    lone: "\ud800",
  },
};

/** Every tag and attribute of the page; no attribute value contains a bracket or a quote. */
const TAG =
  /<\/?(?:html|head|meta|title|style|body|header|nav|main|section|article|h[123]|p|dl|dt|dd|ol|li|a|span|time|table|caption|thead|tbody|tr|th|td)(?: (?:lang|charset|http-equiv|content|name|id|aria-labelledby|class|dir|href|datetime|scope|data-label)="[^"<>]*")*>/g;

Deno.test("the page of an access request escapes all markup of participants", async () => {
  await using exports = await createExportWorld();
  const service = `order-service ${EVIL}`.replace("\u0000", "");
  const request = await insertExportRequest(exports, ["customer-service", service]);
  await deliver(exports, request, "customer-service", [HOSTILE, record(1)]);
  const waiverReason = `reason ${EVIL}`;
  request.description.sources[1]!.waiverReason = waiverReason;
  await exportStore(exports).compile(request.key, request.description, NEVER);
  const page = await documentText(exports, request, "access.html");

  assert.ok(page.startsWith("<!doctype html>\n"));
  const text = page.slice("<!doctype html>\n".length).replace(TAG, "");
  assert.deepEqual(text.match(/.{0,20}[<>].{0,20}/), null);
  assert.ok(!/&(?!(?:amp|lt|gt|quot|#39);)/.test(text), "a bare ampersand");
  // deno-lint-ignore no-control-regex -- it searches for control characters
  assert.ok(!/[\u0000-\u0008\u000b-\u001f]/.test(page), "a control character");
  for (
    const name of [
      "category",
      "purpose",
      "retention",
      "recipient",
      "recordedAt",
      "name",
      "value",
      "item",
      "inner",
      "innermost",
      "order-service",
      "reason",
    ]
  ) assert.ok(text.includes(`${name} &lt;/dd&gt;&lt;script&gt;alert(1)`), name);
  assert.ok(text.includes("depth &lt;/dd&gt;"));
});

Deno.test("the page of an access request loads nothing and has navigation with valid links", async () => {
  await using exports = await createExportWorld();
  const request = await insertExportRequest(exports, [
    "customer-service",
    "order-service",
    "payment-service",
  ]);
  await collect(exports, request);
  await exportStore(exports).compile(request.key, request.description, NEVER);
  const page = await documentText(exports, request, "access.html");

  assert.ok(!/https?:|url\(|@import|\ssrc=|<script|<link|<iframe/i.test(page));
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
  const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, href]) => href);
  assert.deepEqual(links, ["#source-1", "#source-2", "#source-3", "#rights"]);
  for (const link of links) assert.ok(ids.includes(link!.slice(1)), link);
  const levels = [...page.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level));
  assert.deepEqual(levels.filter((level, at) => level > (levels[at - 1] ?? 0) + 1), []);
  assert.equal(levels.filter((level) => level === 1).length, 1);

  const style = page.match(/<style>([^]*)<\/style>/)![1]!;
  const hash = createHash("sha256").update(style).digest("base64");
  assert.ok(page.includes(`content="default-src 'none'; style-src 'sha256-${hash}'"`));
  for (const feature of ["prefers-color-scheme: dark", "@media print", "max-width: 36rem"]) {
    assert.ok(style.includes(feature), feature);
  }
  assert.ok(page.includes("Kaffeemühle 19"));
  assert.ok(page.includes('<time datetime="2026-03-31T10:00:00.000Z">March 31, 2026 at 10:00 AM UTC</time>'));
});

Deno.test("an access document has the Article 15 information of each participant, including those without data", async () => {
  await using exports = await createExportWorld();
  const services = ["customer-service", "order-service", "payment-service", "communication-service"];
  const request = await insertExportRequest(exports, services);
  const other = record(2, { purpose: "to answer questions", recipients: [] });
  await deliver(exports, request, "customer-service", [record(0), record(1), other]);
  await deliver(exports, request, "order-service", []);
  await exportStore(exports).append(request.key, "communication-service", [{ record: HOSTILE, cursor: "1" }]);
  for (const source of request.description.sources.slice(2)) source.waiverReason = "it was shut down in May";
  await exportStore(exports).compile(request.key, request.description, NEVER);

  const text = await documentText(exports, request, "access.json");
  const { about, sources } = JSON.parse(text);
  assert.deepEqual(
    [about.storeId, about.customerId, about.requestId, about.askedAt, about.compiledAt],
    [
      request.key.storeId,
      request.customer.id,
      request.key.requestId,
      "2026-03-31T10:00:00.000Z",
      "2026-03-31T10:00:00.000Z",
    ],
  );
  assert.equal("automatedDecisions" in about, false, "no decision is recorded, so none is denied");
  const rights = ["rectification", "erasure", "restriction", "portability", "complaint"];
  assert.deepEqual(Object.keys(about.rights), rights);
  assert.deepEqual(sources.map((source: { service: string }) => source.service), services);

  const [own, orders, payments, messages] = sources;
  const { data: _, recordedAt: __, ...processing } = record(0);
  assert.deepEqual(own.processing, [
    { ...processing, records: 2 },
    { ...processing, purpose: "to answer questions", recipients: [], records: 1 },
  ]);
  assert.deepEqual(own.records, [record(0), record(1), other]);
  assert.deepEqual(
    [own.summary, orders.summary],
    [
      "customer-service has provided 3 records about you.",
      "order-service has reported that it holds no data about you.",
    ],
  );
  assert.deepEqual([orders.complete, orders.recordCount, orders.records], [true, 0, []]);
  for (const source of [payments, messages]) {
    assert.deepEqual([source.complete, source.waiverReason], [false, "it was shut down in May"]);
    assert.match(source.summary, /it was shut down in May/);
  }
  assert.deepEqual(messages.records, [JSON.parse(JSON.stringify(HOSTILE))]);
  assert.equal(text, `${JSON.stringify(JSON.parse(text), null, 2)}\n`);

  const page = await documentText(exports, request, "access.html");
  for (const { summary } of sources) assert.ok(page.includes(summary), summary);
});

Deno.test("the processing information of a participant is limited, and the document says so", async () => {
  await using exports = await createExportWorld();
  const request = await insertExportRequest(exports, ["order-service"]);
  const records = Array.from({ length: 250 }, (_, at) => record(at, { category: `category ${at}` }));
  await deliver(exports, request, "order-service", records);
  await exportStore(exports).compile(request.key, request.description, NEVER);
  const { sources: [source] } = JSON.parse(await documentText(exports, request, "access.json"));
  assert.deepEqual([source.processing.length, source.furtherProcessing], [200, true]);
  assert.equal(source.records[249].category, "category 249");
  assert.match(await documentText(exports, request, "access.html"), /further purposes/);
});

Deno.test("a portability download is valid against its schema", async () => {
  await using exports = await createExportWorld();
  const services = ["customer-service", "order-service", "payment-service", "communication-service"];
  const request = await insertExportRequest(exports, services, "PORTABILITY");
  const nameless = record(1, { recordedAt: undefined });
  await deliver(exports, request, "customer-service", [record(0), nameless, HOSTILE]);
  await deliver(exports, request, "order-service", []);
  request.description.sources[2]!.waiverReason = "it was shut down";
  await deliver(exports, request, "communication-service", [record(7)]);
  request.description.sources[3]!.waiverReason = "it was slow";
  await exportStore(exports).compile(request.key, request.description, NEVER);
  const document = JSON.parse(await documentText(exports, request, "portability.json"));

  const schema = await Deno.readTextFile(new URL("../../docs/portability.schema.json", import.meta.url));
  const ajv = new Ajv2020({ allErrors: true });
  addFormats.default(ajv);
  const validate = ajv.compile(JSON.parse(schema));
  const isValid = (value: unknown): boolean => validate(value);
  assert.ok(isValid(document), JSON.stringify(validate.errors));
  assert.deepEqual(document.subject, { storeId: request.key.storeId, customerId: request.customer.id });
  assert.deepEqual(
    document.sources.map((source: { complete: boolean; records: unknown[]; waiverReason?: string }) => [
      source.complete,
      source.records.length,
      source.waiverReason,
    ]),
    [[true, 3, undefined], [true, 0, undefined], [false, 0, "it was shut down"], [true, 1, "it was slow"]],
  );
  const { recordedAt: _, ...expected } = nameless;
  assert.deepEqual(document.sources[0].records[1], expected);

  const [source] = document.sources;
  const broken = [
    { ...document, format: "another" },
    { ...document, subject: { storeId: request.key.storeId } },
    { ...document, more: 1 },
    { ...document, compiledAt: "yesterday" },
    { ...document, sources: [{ ...source, complete: false }] },
    { ...document, sources: [{ ...source, records: [{ ...record(0), data: "text" }] }] },
  ];
  for (const [at, wrong] of broken.entries()) assert.ok(!isValid(wrong), `document ${at}`);
});

Deno.test("the manifest names every document with its size and hash", async () => {
  await using exports = await createExportWorld();
  for (
    const [type, names] of [
      ["ACCESS", ["access.html", "access.json"]],
      ["PORTABILITY", ["portability.json"]],
    ] as const
  ) {
    const request = await insertExportRequest(exports, ["order-service"], type);
    await collect(exports, request);
    await exportStore(exports).compile(request.key, request.description, NEVER);
    const manifest = JSON.parse(await documentText(exports, request, "manifest.json"));
    assert.equal(manifest.requestId, request.key.requestId);
    assert.deepEqual(manifest.parts.map((part: { name: string }) => part.name), names);
    for (const { name, bytes, sha256: hash, mediaType } of manifest.parts) {
      const document = new TextEncoder().encode(await documentText(exports, request, name));
      assert.deepEqual([bytes, hash], [document.byteLength, await sha256(document)]);
      assert.match(mediaType, name.endsWith(".html") ? /^text\/html/ : /^application\/json/);
    }
  }
});

/** Stores records of a participant and marks its collection as finished. */
async function deliver(
  exports: ExportWorld,
  { key }: ExportRequest,
  service: string,
  records: readonly CollectedRecord[],
): Promise<void> {
  const store = exportStore(exports);
  await store.append(key, service, records.map((record, at) => ({ record, cursor: String(at) })));
  await store.finish(key, service);
}
