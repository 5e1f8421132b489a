/** Receipts of erasures: a gapless chain under concurrency, and offline verification against tampering. */
import assert from "node:assert/strict";
import { exportReceipt, type ReceiptFacts, writeReceipt } from "../../actors/gdpr/receipts/receipt.ts";
import { digestText, isTextOf } from "../../actors/gdpr/receipts/text_digest.ts";
import {
  confirmationBytes,
  evidenceDigest,
  type SignedConfirmation,
} from "../../actors/gdpr/receipts/confirmation.ts";
import { checkReceipts, type Finding, type ParticipantKeys } from "../../actors/gdpr/receipts/check.ts";
import { type ReceiptFile, signedBytes } from "../../actors/gdpr/receipts/file.ts";
import { openKeys, type ReceiptKey } from "../../config/keys.ts";
import { readConfig } from "../../config/mod.ts";
import { enterStore, type Sql } from "../../db/connect.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { createDatabase, type TestDatabase } from "../database.ts";
import { runTask } from "./task.ts";
import { sha256 } from "../../lib/hash.ts";

const AT = new Date("2026-03-01T10:00:00.000Z");

interface World {
  database: TestDatabase;
  api: Sql;
  signer: ReceiptKey;
  folder: string;
}

async function withWorld(use: (world: World) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "customer-service-receipts-" });
  try {
    await using database = await createDatabase();
    const { receiptKey: signer } = await openKeys(readConfig({}).gdpr.keys, folder);
    await use({ database, api: database.pool("customer_api", 8), signer, folder });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Inserts an erasure request in progress and returns the facts of its receipt. */
async function request({ database: { admin } }: World, storeId: string): Promise<ReceiptFacts> {
  const [customerId, requestId] = [crypto.randomUUID(), crypto.randomUUID()];
  await admin`
    insert into customers (store_id, customer_id, status, version, created_at, updated_at, anonymized_at)
    values (${storeId}, ${customerId}, 'CLOSED', 2, ${AT}, ${AT}, ${AT})`;
  await admin`
    insert into gdpr_requests (store_id, request_id, customer_id, type, status, created_at, received_at, channel, due_at, requested_by,
      machine, snapshot, version)
    values (${storeId}, ${requestId}, ${customerId}, 'ERASURE', 'IN_PROGRESS', ${AT}, ${AT}, 'LETTER', ${AT}, ${customerId},
      'erasure@1', '{}', 1)`;
  return {
    storeId,
    requestId,
    customerId,
    cause: "REQUEST",
    requestedAt: AT,
    erasedAt: AT,
    completedAt: AT,
    outcome: "FULFILLED_WITH_WAIVERS",
    confirmedBy: null,
    cleared: { customers: { identity: 3, contact: 2 }, customer_addresses: { address: 12 } },
    participants: [
      {
        service: "order-service",
        state: "CONFIRMED",
        settledAt: AT,
        evidence: digestText("batch é-1"),
        signature: null,
        waiverReason: null,
        waiverProposedBy: null,
        waiverConfirmedBy: null,
      },
      {
        service: "payment-service",
        state: "WAIVED",
        settledAt: AT,
        evidence: null,
        signature: null,
        waiverReason: digestText("shut down"),
        waiverProposedBy: crypto.randomUUID(),
        waiverConfirmedBy: crypto.randomUUID(),
      },
    ],
    requestedBy: { kind: "SUBJECT" },
    columns: { customers: ["email"], customer_addresses: ["line1"] },
    rescan: { tables: ["customers", "customer_addresses"], residue: 0 },
  };
}

/** Writes a receipt in a transaction of its own and reads it back as a file. */
async function receipt(
  world: World,
  storeId: string,
  facts: Partial<ReceiptFacts> = {},
): Promise<ReceiptFile> {
  const whole = { ...await request(world, storeId), ...facts };
  await write(world, whole);
  const file = await exportReceipt(createStoreReader(world.api), whole);
  assert.ok(file);
  return file;
}

async function write({ api, signer }: World, facts: ReceiptFacts): Promise<void> {
  await api.begin(async (tx) => {
    await enterStore(tx, facts.storeId);
    await writeReceipt(tx, signer, facts, AT);
  });
}

async function check(files: readonly object[], keys: Uint8Array<ArrayBuffer>[] = []): Promise<Finding[]> {
  const texts = files.map((file, at) => ({ name: `${at}.json`, text: JSON.stringify(file) }));
  return (await checkReceipts(texts, keys)).flatMap(({ findings }) => findings);
}

async function failures(files: readonly object[], keys: Uint8Array<ArrayBuffer>[] = []): Promise<string[]> {
  return (await check(files, keys)).filter(({ verdict }) => verdict === "failed").map(({ message }) =>
    message
  );
}

async function createKeyPair() {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  return { privateKey: pair.privateKey, publicKey: await bytesOf(pair.publicKey) };
}

const bytesOf = async (key: CryptoKey) => new Uint8Array(await crypto.subtle.exportKey("raw", key));

Deno.test("concurrent receipts form one gapless, valid chain for each store", () =>
  withWorld(async (world) => {
    const [store, other] = [crypto.randomUUID(), crypto.randomUUID()];
    const facts = await Promise.all(
      Array.from({ length: 24 }, (_, at) => request(world, at % 4 === 0 ? other : store)),
    );
    await Promise.all(facts.map((one) => write(world, one)));
    const files = await Promise.all(
      facts.map(async (one) => (await exportReceipt(createStoreReader(world.api), one))!),
    );
    const sequences = (storeId: string) =>
      files.filter(({ document }) => document.storeId === storeId).map(({ sequence }) => sequence)
        .sort((a, b) => a - b);
    assert.deepEqual(sequences(store), Array.from({ length: 18 }, (_, at) => at + 1));
    assert.deepEqual(sequences(other), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(await failures(files, [await bytesOf(world.signer.public)]), []);
    const messages = (await check(files)).map(({ message }) => message);
    assert.ok(
      messages.some((says) => says.startsWith("Receipts 1 to 18 are complete, and each names")),
      messages.join("\n"),
    );
    assert.ok(messages.some((says) => says.startsWith("Receipts 1 to 6 are complete, and each names")));
  }));

Deno.test("a receipt that is rolled back leaves no gap, and a request has at most one receipt", () =>
  withWorld(async (world) => {
    const storeId = crypto.randomUUID();
    const first = await request(world, storeId);
    await assert.rejects(world.api.begin(async (tx) => {
      await enterStore(tx, storeId);
      await writeReceipt(tx, world.signer, first, AT);
      throw new Error("something else failed");
    }));
    await write(world, first);
    await assert.rejects(write(world, first), { constraint_name: "erasure_receipts_request" });
    assert.equal((await receipt(world, storeId)).sequence, 2);
  }));

Deno.test("a receipt states the request, the cleared values, the participants, and the cause after a restore", () =>
  withWorld(async (world) => {
    const storeId = crypto.randomUUID();
    const reasons = { extension: digestText("three systems") };
    const file = await receipt(world, storeId, {
      cause: "RESTORE",
      requestedBy: { kind: "RESTORE" },
      reasons,
    });
    const said = (await check([file])).find(({ message }) => message.includes("states:"));
    assert.equal(said?.verdict, "note");
    for (
      const words of [
        String(file.document.customerId),
        "17 values",
        "order-service",
        "payment-service",
        "restored",
      ]
    ) {
      assert.ok(said.message.includes(words), `${words} in: ${said.message}`);
    }
    assert.deepEqual(file.document.reasons, reasons);
    assert.doesNotMatch(JSON.stringify(file), /batch|shut down|three systems/);
    assert.equal(file.document.issuedAt, AT.toISOString());
  }));

Deno.test("a check compares given texts with the salted hashes, and says which texts were removed", () =>
  withWorld(async (world) => {
    const storeId = crypto.randomUUID();
    const files = [
      await receipt(world, storeId, { reasons: { extension: digestText("three systems") } }),
      await receipt(world, storeId),
    ];
    const texts = files.map((file, at) => ({ name: `${at}.json`, text: JSON.stringify(file) }));
    const [key] = [await bytesOf(world.signer.public)];
    const messages = async (given: string[]) =>
      (await checkReceipts(texts, [key!], given)).flatMap(({ findings }) => findings)
        .map(({ verdict, message }) => `${verdict}: ${message}`);

    const removed = await messages([]);
    assert.deepEqual(removed.filter((message) => message.startsWith("failed")), []);
    assert.equal(
      removed.filter((message) =>
        /^note: The .*: the receipt has only a salted hash, and no text was given/.test(message)
      ).length,
      5,
    );

    const given = await messages(["  batch e\u0301-1 ", "three systems", "shut up"]);
    assert.ok(given.includes("passed: The evidence of order-service is one of the given texts."));
    assert.ok(given.includes("passed: The reason of the extension is one of the given texts."));
    assert.ok(
      given.some((message) =>
        message.startsWith("note: The reason of the waiver of payment-service: the receipt has only")
      ),
    );
    assert.deepEqual(given.filter((message) => message.startsWith("failed")), [
      "failed: Text 3 matches no hash in the receipts.",
    ]);
  }));

Deno.test("equal texts have different hashes, and a text in a receipt instead of its hash is refused", () =>
  withWorld(async (world) => {
    const [one, other] = [digestText("2 rows"), digestText("2 rows")];
    assert.notEqual(one.salt, other.salt);
    assert.notEqual(one.sha256, other.sha256);
    assert.deepEqual([isTextOf(one, "2 rows"), isTextOf(one, "3 rows")], [true, false]);
    const file = await receipt(world, crypto.randomUUID());
    const [first] = file.document.participants as object[];
    const document = { ...file.document, participants: [{ ...first, evidence: "2 rows" }] };
    const [finding] = await check([{ ...file, document }]);
    assert.match(finding?.message ?? "", /document\.participants\.0\.evidence is missing or invalid/);
  }));

Deno.test("a participant's signature is verified offline, with the key in the receipt or a trusted one", () =>
  withWorld(async (world) => {
    const storeId = crypto.randomUUID();
    const [pair, other] = [await createKeyPair(), await createKeyPair()];
    const facts = await request(world, storeId);
    const [confirmed, waived] = facts.participants;
    const sign = async (changes: Partial<SignedConfirmation> = {}, evidence: string | null = "2 orders") => {
      const evidenceSha256 = evidenceDigest(facts.requestId, evidence).sha256;
      const { customerId, requestId } = facts;
      const confirmation = {
        storeId,
        customerId,
        requestId,
        service: "order-service",
        evidenceSha256,
        ...changes,
      };
      return {
        ...confirmed!,
        evidence: evidence === null ? null : evidenceDigest(facts.requestId, evidence),
        signature: {
          publicKey: pair.publicKey.toBase64(),
          signature: new Uint8Array(
            await crypto.subtle.sign("Ed25519", pair.privateKey, confirmationBytes(confirmation)),
          ).toBase64(),
        },
      };
    };
    const signed = await sign();
    await write(world, { ...facts, participants: [signed, waived!] });
    const file = await exportReceipt(createStoreReader(world.api), facts);
    assert.ok(file);
    const key = await bytesOf(world.signer.public);
    const verify = async (
      participants: readonly object[],
      keys: ParticipantKeys = {},
      texts: string[] = [],
    ) => {
      const changed = { ...file, document: { ...file.document, participants } };
      const text = JSON.stringify(await forge(changed, world.signer.private));
      const results = await checkReceipts([{ name: "a.json", text }], [key], texts, keys);
      return results.flatMap(({ findings }) =>
        findings.map(({ verdict, message }) => `${verdict}: ${message}`)
      );
    };
    const failed = (findings: string[]) => findings.filter((finding) => finding.startsWith("failed"));
    const trusted = { "order-service": [other.publicKey, pair.publicKey] };

    const own = await verify([signed, waived!], {}, ["2 orders"]);
    assert.deepEqual(failed(own), []);
    assert.ok(
      own.includes(
        "passed: Participant 1 has signed its confirmation with the key that the receipt states for it.",
      ),
    );
    assert.ok(own.includes("passed: The evidence of order-service is one of the given texts."));
    assert.match(own.join("\n"), /Confirmed by order-service \(.*, signed\)/);
    const given = await verify([signed, waived!], trusted);
    assert.deepEqual(failed(given), []);
    assert.ok(given.includes("passed: Participant 1 has signed its confirmation with a given key."));
    assert.deepEqual(failed(await verify([await sign({}, null), waived!], trusted)), []);

    const mismatch = "failed: The signature of participant 1 does not match its confirmation and ";
    const wrong: [what: string, participant: object][] = [
      ["another customer", await sign({ customerId: crypto.randomUUID() })],
      ["another request", await sign({ requestId: crypto.randomUUID() })],
      ["another store", await sign({ storeId: crypto.randomUUID() })],
      ["another service", await sign({ service: "payment-service" })],
      ["other evidence", { ...signed, evidence: evidenceDigest(facts.requestId, "3 orders") }],
      ["no evidence", { ...signed, evidence: null }],
      ["another name", { ...signed, service: "orders-service" }],
    ];
    for (const [what, participant] of wrong) {
      assert.deepEqual(failed(await verify([participant, waived!])), [
        `${mismatch}the key that the receipt states for it.`,
      ], what);
    }
    assert.deepEqual(failed(await verify([signed, waived!], { "order-service": [other.publicKey] })), [
      `${mismatch}a given key.`,
    ]);
    assert.deepEqual(failed(await verify([confirmed!, waived!], trusted)), [
      "failed: Participant 1 has not signed its confirmation.",
    ]);
    assert.deepEqual(failed(await verify([signed, waived!], { "oder-service": [pair.publicKey] })), [
      "failed: No receipt names oder-service, whose key was given.",
    ]);
    const unsigned = await verify([confirmed!, waived!], { "payment-service": [pair.publicKey] });
    assert.deepEqual(failed(unsigned), [], "a waived participant has nothing to sign");
    assert.doesNotMatch(unsigned.join(), /signed its confirmation|, signed/);
    const misshapen = { ...signed, signature: { ...signed.signature, signature: "AA==" } };
    assert.match(
      (await verify([misshapen, waived!])).join(),
      /participants\.0\.signature\.signature is missing or invalid/,
    );

    const folder = `${world.folder}/signed`;
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/receipt.json`, JSON.stringify(file));
    const command = async (...options: string[]) =>
      await runTask("receipt", ["verify", `${folder}/receipt.json`, "--key", key.toBase64(), ...options]);
    const publicKey = `order-service=${pair.publicKey.toBase64()}`;
    assert.equal((await command("--participant-key", publicKey)).code, 0);
    assert.equal((await command("--participant-key", `order-service=${other.publicKey.toBase64()}`)).code, 1);
    const usage = await command("--participant-key", pair.publicKey.toBase64());
    assert.match(usage.stderr, /expected --participant-key SERVICE=PUBLIC/);
  }));

Deno.test("a check detects every change of a receipt", async (t) => {
  await withWorld(async (world) => {
    const storeId = crypto.randomUUID();
    const first = await receipt(world, storeId);
    const file = await receipt(world, storeId);
    const key = await bytesOf(world.signer.public);
    assert.deepEqual(await failures([file], [key]), []);

    await t.step("a receipt with reordered fields is valid", async () => {
      const reversed = Object.fromEntries(Object.entries(file).reverse());
      assert.deepEqual(await failures([reversed], [key]), []);
    });

    const changed: Record<string, object> = {
      "the document": { ...file, document: { ...file.document, issuedAt: "2026-02-01T00:00:00.000Z" } },
      "a count": { ...file, document: { ...file.document, cleared: { customers: { identity: 4 } } } },
      "the fields of the document": { ...file, document: { ...file.document, note: "all is well" } },
      "the sequence number": { ...file, sequence: 3 },
      "the predecessor": { ...file, previousHash: "0".repeat(64) },
    };
    for (const [what, tampered] of Object.entries(changed)) {
      await t.step(`a change of ${what} breaks the hash and the signature`, async () => {
        const says = (await failures([tampered])).join(" ");
        assert.match(says, /hash of the contents differs/);
        assert.match(says, /signature does not match/);
      });
      await t.step(`a change of ${what} with a new hash breaks the signature`, async () => {
        const hash = sha256(signedBytes(tampered as ReceiptFile)).toHex();
        assert.deepEqual(await failures([{ ...tampered, hash }]), [
          "The signature does not match the key in the file.",
        ]);
      });
    }

    await t.step("another receipt's signature is refused", async () => {
      assert.deepEqual(await failures([{ ...file, signature: first.signature }], [key]), [
        "The signature matches none of the given keys.",
      ]);
    });

    await t.step("only --key detects a forger who signs with their own key", async () => {
      const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
      const forged = { ...file, publicKey: (await bytesOf(pair.publicKey)).toBase64() };
      const named = await forge({ ...forged, keyId: file.keyId }, pair.privateKey);
      assert.deepEqual(await failures([named]), [
        "The ID of the key in the file differs from the key ID in the receipt.",
      ]);
      const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
      const own = await forge({ ...forged, keyId: thumbprint(jwk.x!) }, pair.privateKey);
      assert.deepEqual(await failures([own]), []);
      assert.deepEqual(await failures([own], [key]), [
        "The signature matches none of the given keys; it matches the key in the file.",
      ]);
      assert.deepEqual(await failures([own], [key, await bytesOf(pair.publicKey)]), []);
    });

    await t.step("a file that is not a receipt is reported", async () => {
      const broken = [
        "",
        "{",
        "[]",
        "null",
        JSON.stringify({ ...file, signature: "short" }),
        JSON.stringify({ ...file, publicKey: "A".repeat(44) }),
        JSON.stringify({ ...file, comment: "not signed" }),
        JSON.stringify({ ...file, document: { ...file.document, format: "another@1" } }),
        JSON.stringify({ ...file, document: { ...file.document, note: "\ud800" } }),
        JSON.stringify({ ...file, document: { ...file.document, because: "Everything holds." } }),
        JSON.stringify({ ...file, document: { ...file.document, requestedBy: { kind: "COURT" } } }),
      ];
      for (const text of broken) {
        const [checked] = await checkReceipts([{ name: "a.json", text }], []);
        assert.equal(checked?.findings[0]?.verdict, "failed", text.slice(0, 60));
        assert.match(checked.findings[0].message, /^Not a receipt/);
      }
      const weak = { ...file, publicKey: `${"/".repeat(42)}8=` };
      assert.ok((await failures([weak])).length > 0);
    });

    await t.step("impossible contents fail although the signature is valid", async () => {
      const at = (time: string) => `2026-${time}T10:00:00.000Z`;
      const [participant] = file.document.participants as { settledAt: string }[];
      const impossible: [object, RegExp][] = [
        [
          { requestedAt: at("03-02"), erasedAt: at("03-02"), completedAt: at("03-01") },
          /dates are not in order/,
        ],
        [{ participants: [{ ...participant, settledAt: at("02-01") }] }, /answered before the erasure/],
        [{ participants: [] }, /names no participant/],
        [{ participants: [participant, participant] }, /names a participant twice/],
        [{ columns: {} }, /does not name the columns that it has emptied in: /],
        [{ rescan: { tables: [], residue: 0 } }, /without the tables customers, customer_addresses/],
        [{ cleared: { customers: { identity: -1 } } }, /not a whole number/],
        [{ requestedBy: { kind: "STAFF" } }, /sentence about the requester does not match/],
      ];
      for (const [changes, message] of impossible) {
        const signed = await forge(
          { ...file, document: { ...file.document, ...changes } },
          world.signer.private,
        );
        assert.match((await failures([signed], [key])).join(" "), message);
      }
    });

    await t.step("no text of a receipt is shown before a failure, or obeyed by the terminal", async () => {
      const text = "\u001b[8mall is well\n  passed The signature matches a given key.\n\nAll checks passed.";
      const [participant] = file.document.participants as object[];
      const document = { ...file.document, participants: [{ ...participant, service: text }] };
      const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
      const forged = await forge({ ...file, document }, pair.privateKey);
      const said = await check([forged], [key]);
      assert.ok(!said.some(({ message }) => message.includes("all is well")), JSON.stringify(said));
      const path = `${world.folder}/forged.json`;
      await Deno.writeTextFile(
        path,
        JSON.stringify(await forge({ ...file, document }, world.signer.private)),
      );
      const { code, stdout } = await runTask("receipt", ["verify", path, "--key", key.toBase64()]);
      assert.equal(code, 0);
      assert.ok(!stdout.includes("\u001b") && stdout.includes("\\u{1b}[8mall is well\\u{a}"), stdout);
    });

    await t.step("an object with a key twice is refused, however the key is written", async () => {
      for (const key of ["document", "d\\u006fcument"]) {
        const text = JSON.stringify(file).replace(/}$/, `,"${key}":{}}`);
        const [checked] = await checkReceipts([{ name: "a.json", text }], []);
        assert.match(checked?.findings[0]?.message ?? "", /document appears twice/);
      }
    });

    await t.step("a receipt with residue fails although its signature is valid", async () => {
      const withResidue = await receipt(world, crypto.randomUUID(), {
        rescan: { tables: ["customers", "customer_addresses"], residue: 2 },
      });
      assert.deepEqual(await failures([withResidue], [key]), [
        "It states that the search after the erasure found personal data in 2 places.",
      ]);
    });
  });
});

Deno.test("a check of several receipts detects defects of their chain", async (t) => {
  await withWorld(async (world) => {
    const storeId = crypto.randomUUID();
    const files: ReceiptFile[] = [];
    for (let at = 0; at < 5; at++) files.push(await receipt(world, storeId));
    const [one, two, three, four, five] = files as [
      ReceiptFile,
      ReceiptFile,
      ReceiptFile,
      ReceiptFile,
      ReceiptFile,
    ];

    await t.step("the order of the files does not matter", async () => {
      assert.deepEqual(await failures([four, one, five, three, two]), []);
      assert.deepEqual(await failures([four, three, three]), []);
    });

    await t.step("a missing receipt is named", async () => {
      assert.match((await failures([one, three])).join(), /Receipt 2 is missing from the files/);
      assert.match((await failures([one, two, five])).join(), /Receipts 3 to 4 are missing/);
    });

    await t.step("swapped receipts are detected, even when signed again", async () => {
      const swapped = [{ ...two, sequence: 3 }, { ...three, sequence: 2 }];
      const signed = await Promise.all(swapped.map((file) => forge(file, world.signer.private)));
      assert.match(
        (await failures([one, ...signed, four])).join(),
        /Receipt 2 does not name the hash of receipt 1/,
      );
    });

    await t.step("a rewritten receipt does not match the next one, even when signed again", async () => {
      const document = { ...two.document, customerId: crypto.randomUUID() };
      const rewritten = await forge({ ...two, document }, world.signer.private);
      assert.deepEqual(await failures([rewritten]), []);
      assert.deepEqual(await failures([one, rewritten, three]), [
        "Receipt 3 does not name the hash of receipt 2 in 1.json.",
      ]);
      assert.match((await failures([two, rewritten])).join(), /different receipts with the same number 2/);
    });

    await t.step("a link that was not compared is a note, and never passes", async () => {
      const forged = await forge({ ...three, previousHash: "0".repeat(64) }, world.signer.private);
      const linkFindings = async (files: readonly object[]) =>
        (await check(files)).filter(({ message }) =>
          /^It names a previous receipt|^Receipts .* are complete/.test(message)
        );
      const note = {
        verdict: "note" as const,
        message: "It names a previous receipt. Verify it together with receipt 2.",
      };
      assert.deepEqual(await linkFindings([forged]), [note]);
      assert.deepEqual(await linkFindings([three, three]), [note, note], "one receipt twice is no chain");
      assert.deepEqual((await linkFindings([three, four])).at(-1), {
        verdict: "passed",
        message: "Receipts 3 to 4 are complete, and each names the hash of the one before it.",
      });
    });

    await t.step("a first receipt with a predecessor and a later one without one are detected", async () => {
      const late = await forge({ ...one, previousHash: two.hash }, world.signer.private);
      assert.match((await failures([late])).join(), /number is 1, but it names a previous receipt/);
      const cut = await forge({ ...two, previousHash: null }, world.signer.private);
      assert.match((await failures([cut])).join(), /names no previous receipt/);
    });
  });
});

Deno.test("receipt task prints a receipt and verifies it offline", async (t) => {
  await withWorld(async (world) => {
    const { database, folder } = world;
    const storeId = crypto.randomUUID();
    const env = { DATABASE_URL: database.url, DATA_DIR: folder };
    const paths: string[] = [];
    for (const name of ["one", "two"]) {
      const { document } = await receipt(world, storeId);
      const shown = await runTask("receipt", ["show", storeId, String(document.requestId)], env);
      assert.equal(shown.code, 0, shown.stderr);
      paths.push(`${folder}/${name}.json`);
      await Deno.writeTextFile(`${folder}/${name}.json`, shown.stdout);
    }
    const pem = `${folder}/public.pem`;
    await Deno.writeTextFile(pem, (await runTask("receipt", ["key"], env)).stdout);

    await t.step("with the published key, as a file or in base64", async () => {
      const base64 = (await bytesOf(world.signer.public)).toBase64();
      for (const key of [pem, base64]) {
        const { code, stdout } = await runTask("receipt", ["verify", ...paths, "--key", key]);
        assert.equal(code, 0, stdout);
        assert.match(
          stdout,
          /signature matches a given key[^]*The chain of store[^]*All checks passed\.\n$/,
        );
      }
    });

    await t.step("with a kept text", async () => {
      const args = ["verify", ...paths, "--key", pem, "--text"];
      const { code, stdout } = await runTask("receipt", [...args, "shut down"]);
      assert.equal(code, 0, stdout);
      assert.match(stdout, /waiver of payment-service is one of the given texts/);
      assert.equal((await runTask("receipt", [...args, "was never written"])).code, 1);
    });

    await t.step("without a key the output states what is not verified", async () => {
      const { code, stdout } = await runTask("receipt", ["verify", ...paths]);
      assert.equal(code, 2);
      assert.match(stdout, /Without --key[^]*not who signed it[^]*the signer is unknown\.\n$/);
      assert.ok(!stdout.includes("All checks passed"));
    });

    await t.step("heads show that receipts were cut off or written again", async () => {
      const heads = `${folder}/heads.jsonl`;
      const printed = await runTask("receipt", ["heads"], env);
      assert.equal(printed.code, 0, printed.stderr);
      await Deno.writeTextFile(heads, printed.stdout);
      const verify = (...args: string[]) => runTask("receipt", ["verify", ...args, "--heads", heads]);
      const whole = await verify(...paths, "--key", pem);
      assert.equal(whole.code, 0, whole.stdout);
      assert.match(whole.stdout, /Receipt 2 is the same as on/);
      const cut = await verify(paths[0]!, "--key", pem);
      assert.equal(cut.code, 1);
      assert.match(cut.stdout, /the chain ended with receipt 2; the files end with 1/);
      const two: ReceiptFile = JSON.parse(await Deno.readTextFile(paths[1]!));
      const again = await forge(
        { ...two, document: { ...two.document, customerId: crypto.randomUUID() } },
        world.signer.private,
      );
      await Deno.writeTextFile(`${folder}/again.json`, JSON.stringify(again));
      const rewritten = await verify(paths[0]!, `${folder}/again.json`, "--key", pem);
      assert.equal(rewritten.code, 1);
      assert.match(rewritten.stdout, /Receipt 2 differs from the one on/);
      await Deno.writeTextFile(heads, printed.stdout.replace('"sequence":2', '"sequence":1'));
      assert.match((await verify(...paths, "--key", pem)).stdout, /No given key has signed line 1/);
      const unknown = await verify(...paths);
      assert.deepEqual([unknown.code, unknown.stdout], [1, ""]);
    });

    await t.step("a changed receipt is named, with exit code 1", async () => {
      const text = await Deno.readTextFile(paths[1]!);
      await Deno.writeTextFile(`${folder}/changed.json`, text.replace("WAIVED", "CONFIRMED"));
      const { code, stdout } = await runTask("receipt", [
        "verify",
        paths[0]!,
        `${folder}/changed.json`,
        "--key",
        pem,
      ]);
      assert.equal(code, 1);
      assert.match(stdout, /changed\.json[^]*FAILED[^]*hash of the contents differs[^]*of the checks failed/);
    });

    await t.step("wrong usage is reported in one sentence with exit code 1", async () => {
      const wrong = [
        [],
        ["verify"],
        ["verify", `${folder}/nowhere.json`],
        ["verify", paths[0]!, "--key", "no key"],
        ["verify", paths[0]!, "--sign"],
        ["show", storeId],
        ["show", storeId, crypto.randomUUID()],
        ["unknown"],
      ];
      await Promise.all(wrong.map(async (args) => {
        const { code, stdout, stderr } = await runTask("receipt", args, env);
        assert.deepEqual([code, stdout], [1, ""], args.join(" "));
        assert.match(stderr, /^Cannot [^\n]+\n$/);
      }));
      assert.match(
        (await runTask("receipt", ["show", storeId, storeId], { DATA_DIR: folder })).stderr,
        /DATABASE_URL is not set/,
      );
    });
  });
});

/** Hashes and signs a changed receipt, as the owner of a key could. */
async function forge(file: ReceiptFile, key: CryptoKey): Promise<ReceiptFile> {
  const bytes = signedBytes(file);
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key, bytes)).toBase64();
  return { ...file, hash: sha256(bytes).toHex(), signature };
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc7638} */
function thumbprint(x: string): string {
  const text = new TextEncoder().encode(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`);
  return sha256(text).toBase64({ alphabet: "base64url", omitPadding: true });
}
