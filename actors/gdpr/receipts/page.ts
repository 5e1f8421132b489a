/** Receipt of an erasure as a page for people: in sentences, with everything that verifies it. */
import { createPresentation, type Presentation } from "../exports/documents/presentation.ts";
import { definitions, escape, time } from "../exports/documents/html.ts";
import { framePage } from "../exports/documents/page.ts";
import type { StoreSettings } from "../../../domain/store_settings.ts";
import { responsibleFacts } from "../texts/responsible.ts";
import { counted, fill } from "../texts/texts.ts";
import { type ParsedReceipt, readReceipt, type ReceiptFile, signedBytes } from "./file.ts";

export interface ReceiptPage {
  html: string;
  /** Value of the header. The policy allows the style of the page and nothing else. */
  contentSecurityPolicy: string;
}

/** Path of the public keys with which receipts are signed, below the service's public address. */
const KEYS_PATH = "/.well-known/erasure-receipt-keys.json";

/**
 * @param locale BCP 47: of the reader
 * @throws {Error} the receipt has another format
 */
export async function createReceiptPage(
  file: ReceiptFile,
  { settings, locale }: { settings: StoreSettings; locale: string | null },
): Promise<ReceiptPage> {
  const receipt = readReceipt(JSON.stringify(file));
  if (typeof receipt === "string") throw new Error(`Cannot show a receipt: ${receipt}`);
  const presentation = createPresentation({ locale, settings });
  const { texts: { receipt: texts, language } } = presentation;
  const { head, contentSecurityPolicy } = await framePage(language, texts.title);
  const body = [
    about(receipt, presentation),
    "<main>",
    section(texts.erased, sentencesOfErasure(receipt, presentation)),
    section(texts.participants, sentencesOfParticipants(receipt, presentation)),
    verification(receipt, presentation),
    "</main>\n</body>\n</html>\n",
  ];
  return {
    html: head + body.join("\n"),
    contentSecurityPolicy: `${contentSecurityPolicy}; base-uri 'none'; frame-ancestors 'none'`,
  };
}

function about({ document, file }: ParsedReceipt, presentation: Presentation): string {
  const { texts: { receipt: texts, facts }, settings, formatTime } = presentation;
  const at = (text: string) => time(new Date(text), formatTime);
  const list = definitions([
    [facts.store, escape(settings.name ?? document.storeId)],
    ...responsibleFacts(presentation).map(([name, text]) => [name, escape(text)] as const),
    [facts.customerNumber, escape(document.customerId)],
    [facts.request, escape(document.requestId)],
    [facts.requested, at(document.requestedAt)],
    [texts.erasedAt, at(document.erasedAt)],
    [texts.completedAt, at(document.completedAt)],
    [texts.number, String(file.sequence)],
  ]);
  return `<header>\n<h1>${escape(texts.title)}</h1>\n<p>${
    escape(texts.introduction)
  }</p>\n${list}\n</header>`;
}

function section(title: string, paragraphs: readonly string[]): string {
  const lines = paragraphs.map((paragraph) => `<p>${escape(paragraph)}</p>`);
  return `<div>\n<h2>${escape(title)}</h2>\n${lines.join("\n")}\n</div>`;
}

function sentencesOfErasure({ document }: ParsedReceipt, { texts }: Presentation): string[] {
  const { receipt, categories } = texts;
  const counts = new Map<string, number>();
  for (const byCategory of Object.values(document.cleared)) {
    for (const [category, count] of Object.entries(byCategory)) {
      counts.set(category, (counts.get(category) ?? 0) + count);
    }
  }
  const erased = [...counts].filter(([, count]) => count > 0).map(([category, count]) =>
    `${(categories as Record<string, string>)[category] ?? category}: ${counted(receipt.values, count)}`
  );
  const { kind } = document.requestedBy;
  return [
    receipt.because[kind],
    ...(document.confirmedBy === null ? [] : [receipt.secondPerson]),
    erased.length === 0 ? receipt.nothingErased : fill(receipt.cleared, { values: erased.join("; ") }),
    document.rescan.residue === 0
      ? receipt.nothingLeft
      : fill(receipt.residue, { count: String(document.rescan.residue) }),
    ...(document.reasons ? [receipt.reasons] : []),
  ];
}

function sentencesOfParticipants(
  { document: { participants } }: ParsedReceipt,
  { texts: { receipt }, formatTime }: Presentation,
): string[] {
  if (participants.length === 0) return [receipt.noParticipants];
  return participants.map(({ service, state, settledAt, signature, waiverConfirmedBy }) => {
    const values = { service, at: formatTime(new Date(settledAt)) };
    const sentences = state === "CONFIRMED"
      ? [fill(receipt.confirmed, values), ...(signature ? [receipt.signed] : [])]
      : [fill(receipt.waived, values), ...(waiverConfirmedBy === null ? [] : [receipt.waiverConfirmed])];
    return sentences.join(" ");
  });
}

/** Files with which OpenSSL verifies the signature, and the command. */
function verification({ file, hash }: ParsedReceipt, { texts: { receipt } }: Presentation): string {
  const bytes = signedBytes(file);
  const files: [name: string, type: string, contents: Uint8Array<ArrayBuffer>][] = [
    ["receipt.json", "application/json", new TextEncoder().encode(`${JSON.stringify(file, null, 2)}\n`)],
    ["signed.json", "application/json", bytes],
    ["signature.bin", "application/octet-stream", Uint8Array.fromBase64(file.signature)],
    ["public-key.pem", "application/x-pem-file", new TextEncoder().encode(publicKeyPem(file.publicKey))],
  ];
  const links = files.map(([name, type, contents]) =>
    `<li><a download="${name}" href="data:${type};base64,${contents.toBase64()}">${name}</a></li>`
  );
  const list = definitions([
    ["SHA-256", `<code>${escape(hash)}</code>`],
    [receipt.previous, `<code>${escape(file.previousHash ?? "–")}</code>`],
    [receipt.key, `<code>${escape(file.keyId)}</code>`],
    [receipt.publicKey, `<code>${Uint8Array.fromBase64(file.publicKey).toBase64(BASE64URL)}</code>`],
  ]);
  return `<div>\n<h2>${escape(receipt.verify)}</h2>\n` +
    `<p>${escape(fill(receipt.steps, { keys: KEYS_PATH }))}</p>\n<ul>${links.join("")}</ul>\n` +
    `<pre><code>${escape(VERIFY_COMMAND)}</code></pre>\n${list}\n</div>`;
}

/** As in a JWK. */
const BASE64URL = { alphabet: "base64url", omitPadding: true } as const;

/** For OpenSSL 3. */
export const VERIFY_COMMAND =
  "openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in signed.json -sigfile signature.bin";

/** DER prefix of an Ed25519 public key (RFC 8410). */
const SPKI_PREFIX = Uint8Array.fromHex("302a300506032b6570032100");

function publicKeyPem(base64: string): string {
  const spki = new Uint8Array([...SPKI_PREFIX, ...Uint8Array.fromBase64(base64)]);
  return `-----BEGIN PUBLIC KEY-----\n${spki.toBase64()}\n-----END PUBLIC KEY-----\n`;
}
