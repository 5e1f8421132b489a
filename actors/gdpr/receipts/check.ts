/** Offline verification of receipts: hash, signature and contents of each, and the chain between them. */
import { calculateJwkThumbprint } from "jose";
import { evidenceDigest, findSigner } from "./confirmation.ts";
import { findImplausible } from "./plausibility.ts";
import { isTextOf, type TextDigest } from "./text_digest.ts";
import { type ParsedReceipt, readReceipt, type ReceiptFile, signedBytes } from "./file.ts";

/**
 * Result of one check of a receipt or a chain. "passed" only for what was compared or computed here; a note states
 * what the receipt claims, or a limit of the checks.
 */
export interface Finding {
  verdict: "passed" | "failed" | "note";
  message: string;
}

/** Findings about a receipt's file or a store's chain. */
export interface CheckResult {
  title: string;
  findings: Finding[];
}

/** A receipt with the name of its file. */
type NamedReceipt = ParsedReceipt & { name: string };

/** Trusted public keys of participants by name, of 32 bytes each. */
export type ParticipantKeys = Readonly<Record<string, readonly Uint8Array<ArrayBuffer>[]>>;

/**
 * @param files their names and contents, in any order
 * @param keys trusted public keys of 32 bytes each; without any, each file is verified with its own key
 * @param texts reasons and evidence that someone has kept, to compare with the hashes in the receipts
 * @param participantKeys a participant in it must have signed its confirmations; the signature of any other is verified
 * with the key in the receipt
 * @returns a result for each file, then one for each store with several receipts, then one for the texts
 */
export async function checkReceipts(
  files: readonly { name: string; text: string }[],
  keys: readonly Uint8Array<ArrayBuffer>[],
  texts: readonly string[] = [],
  participantKeys: ParticipantKeys = {},
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const receipts: NamedReceipt[] = [];
  for (const { name, text } of files) {
    const read = readReceipt(text);
    if (typeof read === "string") {
      results.push({ title: name, findings: [{ verdict: "failed", message: read }] });
      continue;
    }
    receipts.push({ name, ...read });
    const title = `${name}: receipt ${read.file.sequence} of store ${read.document.storeId}`;
    results.push({ title, findings: await checkReceipt(read, keys, texts, participantKeys) });
  }
  for (const [storeId, chain] of Map.groupBy(receipts, ({ document }) => document.storeId)) {
    if (chain.length > 1) {
      results.push({ title: `The chain of store ${storeId}`, findings: checkChain(chain) });
    }
  }
  if (texts.length > 0) {
    results.push({ title: "The given texts", findings: findUnknownTexts(receipts, texts) });
  }
  const unknown = findUnknownParticipants(receipts, participantKeys);
  if (unknown.length > 0) results.push({ title: "The given participants", findings: unknown });
  return results;
}

/** Named salted hashes in a receipt. */
function digestsOf({ document: { participants, reasons = {} } }: ParsedReceipt): [string, TextDigest][] {
  const digests: [string, TextDigest | null | undefined][] = [
    ["The reason of the hold", reasons.hold],
    ["The reason of the extension", reasons.extension],
    ...participants.flatMap(({ service, evidence, waiverReason }): [string, TextDigest | null][] => [
      [`The evidence of ${service}`, evidence],
      [`The reason of the waiver of ${service}`, waiverReason],
    ]),
  ];
  return digests.flatMap(([name, digest]) => digest ? [[name, digest]] : []);
}

function checkTexts(receipt: ParsedReceipt, texts: readonly string[]): Finding[] {
  const noMatch = texts.length === 0
    ? "and no text was given to compare with it"
    : "and none of the given texts matches it";
  return digestsOf(receipt).map(([name, digest]) =>
    texts.some((text) => isTextOf(digest, text))
      ? { verdict: "passed", message: `${name} is one of the given texts.` }
      : { verdict: "note", message: `${name}: the receipt has only a salted hash, ${noMatch}.` }
  );
}

function findUnknownTexts(receipts: readonly ParsedReceipt[], texts: readonly string[]): Finding[] {
  const digests = receipts.flatMap((receipt) => digestsOf(receipt).map(([, digest]) => digest));
  return texts.map((text, index) =>
    finding(
      digests.some((digest) => isTextOf(digest, text)),
      `Text ${index + 1} matches a hash in the receipts.`,
      `Text ${index + 1} matches no hash in the receipts.`,
    )
  );
}

/** A misspelled name would leave its participant unchecked. */
function findUnknownParticipants(
  receipts: readonly ParsedReceipt[],
  participantKeys: ParticipantKeys,
): Finding[] {
  const named = new Set(
    receipts.flatMap(({ document }) => document.participants.map(({ service }) => service)),
  );
  return Object.keys(participantKeys).filter((service) => !named.has(service)).map((service) => ({
    verdict: "failed",
    message: `No receipt names ${service}, whose key was given.`,
  }));
}

/** Names participants by their number: a name is text of the receipt. */
async function checkConfirmations(
  { document: { participants, ...erasure } }: ParsedReceipt,
  participantKeys: ParticipantKeys,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [index, { service, state, evidence, signature }] of participants.entries()) {
    const number = `Participant ${index + 1}`;
    const trusted = Object.hasOwn(participantKeys, service) ? participantKeys[service] : undefined;
    if (state !== "CONFIRMED") continue;
    if (signature === null) {
      if (trusted) {
        findings.push({ verdict: "failed", message: `${number} has not signed its confirmation.` });
      }
      continue;
    }
    const evidenceSha256 = evidence?.sha256 ?? evidenceDigest(erasure.requestId, null).sha256;
    const signer = await findSigner(
      { ...erasure, service, evidenceSha256 },
      Uint8Array.fromBase64(signature.signature),
      trusted ?? [Uint8Array.fromBase64(signature.publicKey)],
    );
    const key = trusted ? "a given key" : "the key that the receipt states for it";
    findings.push(finding(
      signer !== undefined,
      `${number} has signed its confirmation with ${key}.`,
      `The signature of ${number.toLowerCase()} does not match its confirmation and ${key}.`,
    ));
  }
  return findings;
}

async function checkReceipt(
  receipt: ParsedReceipt,
  keys: readonly Uint8Array<ArrayBuffer>[],
  texts: readonly string[],
  participantKeys: ParticipantKeys,
): Promise<Finding[]> {
  const { file, document, hash } = receipt;
  const implausible = findImplausible(receipt, new Date());
  const findings = [
    finding(
      file.hash === hash,
      "The contents have the hash in the receipt.",
      "The hash of the contents differs from the hash in the receipt: one of them was changed.",
    ),
    ...await checkSignature(file, keys),
    ...await checkConfirmations(receipt, participantKeys),
    checkPreviousHash(file),
    finding(
      document.rescan.residue === 0,
      "It states that the search after the erasure found nothing.",
      `It states that the search after the erasure found personal data in ${document.rescan.residue} places.`,
    ),
    ...implausible.map((message) => ({ verdict: "failed", message }) as const),
  ];
  // Shows the summary last, and only if all checks pass: otherwise it would look verified.
  if (findings.some(({ verdict }) => verdict === "failed")) return findings;
  const source = keys.length === 0 ? "An unknown signer states: " : "It states: ";
  return [
    ...findings,
    ...checkTexts(receipt, texts),
    { verdict: "note", message: source + summary(document) },
  ];
}

/** Checks that exactly the receipt with number 1 names no previous one. The comparison with that needs both files. */
function checkPreviousHash({ sequence, previousHash }: ReceiptFile): Finding {
  const isFirst = sequence === 1;
  if (isFirst === (previousHash !== null)) {
    return {
      verdict: "failed",
      message: isFirst
        ? "Its number is 1, but it names a previous receipt."
        : `Its number is ${sequence}, but it names no previous receipt.`,
    };
  }
  return isFirst ? { verdict: "passed", message: "Its number is 1, and it names no previous receipt." } : {
    verdict: "note",
    message: `It names a previous receipt. Verify it together with receipt ${sequence - 1}.`,
  };
}

/** Summary of a receipt, as sentences. */
function summary(
  { customerId, because, requestId, cleared, participants, ...document }: ParsedReceipt["document"],
): string {
  const values = Object.values(cleared).flatMap((counts) => Object.values(counts)).reduce(
    (sum, count) => sum + count,
    0,
  );
  const confirmed = participants.filter(({ state }) => state === "CONFIRMED").map((
    { service, settledAt, signature },
  ) => `${service} (${settledAt}${signature === null ? "" : ", signed"})`);
  const waived = participants.filter(({ state }) => state === "WAIVED")
    .map(({ service, settledAt, waiverProposedBy, waiverConfirmedBy }) => {
      const by = waiverProposedBy === null ? "" : `, by ${waiverProposedBy}`;
      const second = waiverConfirmedBy === null ? "" : `, confirmed by ${waiverConfirmedBy}`;
      return `${service} (${settledAt}${by}${second})`;
    });
  return [
    `Customer ${customerId} was erased on ${document.erasedAt} under request ${requestId} of ${document.requestedAt}, completed on ${document.completedAt}. ${because}`,
    `${values} values were cleared.`,
    confirmed.length > 0 ? `Confirmed by ${confirmed.join(", ")}.` : "No participant confirmed.",
    ...(waived.length > 0 ? [`Waived without a confirmation: ${waived.join(", ")}.`] : []),
  ].join(" ");
}

async function checkSignature(
  file: ReceiptFile,
  keys: readonly Uint8Array<ArrayBuffer>[],
): Promise<Finding[]> {
  const publicKey = Uint8Array.fromBase64(file.publicKey);
  const { kty, crv, x } = {
    kty: "OKP",
    crv: "Ed25519",
    x: publicKey.toBase64({ alphabet: "base64url", omitPadding: true }),
  };
  const keyFinding = finding(
    await calculateJwkThumbprint({ kty, crv, x }) === file.keyId,
    `The key in the file is ${file.keyId}, as the receipt states.`,
    "The ID of the key in the file differs from the key ID in the receipt.",
  );
  const matchesOwnKey = await isSigned(file, publicKey);
  if (keys.length === 0) {
    return [
      keyFinding,
      finding(
        matchesOwnKey,
        "The signature matches the key in the file.",
        "The signature does not match the key in the file.",
      ),
    ];
  }
  const matches = await Promise.all(keys.map((key) => isSigned(file, key)));
  const ownKey = matchesOwnKey ? "; it matches the key in the file" : "";
  const noMatch = `The signature matches none of the given keys${ownKey}.`;
  return [keyFinding, finding(matches.includes(true), "The signature matches a given key.", noMatch)];
}

async function isSigned(file: ReceiptFile, publicKey: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return await crypto.subtle.verify("Ed25519", key, Uint8Array.fromBase64(file.signature), signedBytes(file));
}

function checkChain(receipts: readonly NamedReceipt[]): Finding[] {
  const ordered = receipts.toSorted((a, b) => a.file.sequence - b.file.sequence);
  const findings = ordered.slice(1).flatMap((receipt, index) => checkLink(ordered[index]!, receipt));
  const [from, to] = [ordered[0]!.file.sequence, ordered.at(-1)!.file.sequence];
  const isUnbroken = from < to && findings.every(({ verdict }) => verdict !== "failed");
  return [
    ...findings,
    ...isUnbroken
      ? [
        {
          verdict: "passed",
          message: `Receipts ${from} to ${to} are complete, and each names the hash of the one before it.`,
        } as const,
      ]
      : [],
    {
      verdict: "note",
      message: from > 1
        ? `Receipts before ${from} and after ${to} were not checked, nor the hash that receipt ${from} names.`
        : `Receipts after ${to} were not checked.`,
    },
  ];
}

/** Compares two receipts that follow each other when ordered by number; no finding if the link is correct. */
function checkLink(previous: NamedReceipt, receipt: NamedReceipt): Finding[] {
  const [number, previousNumber] = [receipt.file.sequence, previous.file.sequence];
  const failed = (message: string): Finding[] => [{ verdict: "failed", message }];
  if (number === previousNumber) {
    const names = `${previous.name} and ${receipt.name}`;
    return receipt.hash === previous.hash
      ? [{ verdict: "note", message: `Receipt ${number} appears twice, in ${names}.` }]
      : failed(`${names} are different receipts with the same number ${number}.`);
  }
  if (number > previousNumber + 1) {
    const missing = number === previousNumber + 2
      ? `Receipt ${previousNumber + 1} is`
      : `Receipts ${previousNumber + 1} to ${number - 1} are`;
    return failed(`${missing} missing from the files, so the chain cannot be verified across the gap.`);
  }
  return receipt.file.previousHash === previous.hash
    ? []
    : failed(`Receipt ${number} does not name the hash of receipt ${previousNumber} in ${previous.name}.`);
}

function finding(condition: boolean, passed: string, failed: string): Finding {
  return condition ? { verdict: "passed", message: passed } : { verdict: "failed", message: failed };
}
