/** Checks receipts without the service: what holds of each, and of the chain that several of them make. */
import { calculateJwkThumbprint } from "jose";
import { type ReadReceipt, readReceipt, type ReceiptFile, signedBytes } from "./file.ts";

/** A sentence about a receipt or a chain. One that neither holds nor fails says how far a check can go. */
export interface Finding {
  verdict: "holds" | "fails" | "note";
  says: string;
}

/** A receipt's file, or a store's chain, with what was found out about it. */
export interface Checked {
  title: string;
  findings: Finding[];
}

/** A receipt and the name of its file. */
type Read = ReadReceipt & { name: string };

/**
 * @param files their names and contents, in any order
 * @param keys public keys that may have signed, 32 bytes each; without any, the key in each file is believed
 * @returns an entry for each file, then one for each store with several
 */
export async function checkReceipts(
  files: readonly { name: string; text: string }[],
  keys: readonly Uint8Array<ArrayBuffer>[],
): Promise<Checked[]> {
  const checked: Checked[] = [];
  const readable: Read[] = [];
  for (const { name, text } of files) {
    const read = readReceipt(text);
    if (typeof read === "string") {
      checked.push({ title: name, findings: [{ verdict: "fails", says: read }] });
      continue;
    }
    readable.push({ name, ...read });
    const title = `${name}: receipt ${read.file.sequence} of store ${read.document.storeId}`;
    checked.push({ title, findings: await checkReceipt(read, keys) });
  }
  for (const [storeId, receipts] of Map.groupBy(readable, ({ document }) => document.storeId)) {
    if (receipts.length > 1) {
      checked.push({ title: `The chain of store ${storeId}`, findings: checkChain(receipts) });
    }
  }
  return checked;
}

async function checkReceipt(
  { file, document, hash }: ReadReceipt,
  keys: readonly Uint8Array<ArrayBuffer>[],
): Promise<Finding[]> {
  const first = file.sequence === 1;
  return [
    { verdict: "note", says: summary(document) },
    test(
      file.hash === hash,
      "The contents have the hash that the receipt names.",
      "The contents have another hash than the receipt names: one of them was changed.",
    ),
    ...await checkSignature(file, keys),
    test(
      first === (file.previousHash === null),
      first
        ? "It is the store's first receipt, with none before it."
        : `It names the hash of receipt ${file.sequence - 1}, which comes before it.`,
      first
        ? "It is the store's first receipt and names one before it."
        : "It names no receipt before it, and is not the first one.",
    ),
    test(
      document.rescan.residue === 0,
      "The search after the erasure found nothing.",
      `The search after the erasure still found something in ${document.rescan.residue} rows.`,
    ),
  ];
}

/** What the receipt says, in words. */
function summary(
  { customerId, because, requestId, cleared, participants, ...document }: ReadReceipt["document"],
): string {
  const values = Object.values(cleared).flatMap((counts) => Object.values(counts)).reduce(
    (sum, count) => sum + count,
    0,
  );
  const confirmed = participants.filter(({ state }) => state === "CONFIRMED").map((one) =>
    `${one.service} (${one.settledAt})`
  );
  const waived = participants.filter(({ state }) => state === "WAIVED")
    .map((one) => `${one.service} (${one.settledAt}: ${one.waiverReason ?? "no reason given"})`);
  return [
    `It says: customer ${customerId} was erased on ${document.erasedAt} under request ${requestId} of ${document.requestedAt}, completed on ${document.completedAt}. ${because}`,
    `${values} values were cleared.`,
    `Confirmed by ${confirmed.join(", ") || "nobody"}.`,
    ...(waived.length > 0 ? [`Not confirmed and waived: ${waived.join(", ")}.`] : []),
  ].join(" ");
}

async function checkSignature(
  file: ReceiptFile,
  keys: readonly Uint8Array<ArrayBuffer>[],
): Promise<Finding[]> {
  const own = Uint8Array.fromBase64(file.publicKey);
  const { kty, crv, x } = {
    kty: "OKP",
    crv: "Ed25519",
    x: own.toBase64({ alphabet: "base64url", omitPadding: true }),
  };
  const named = test(
    await calculateJwkThumbprint({ kty, crv, x }) === file.keyId,
    `The key in the file is ${file.keyId}, as the receipt says.`,
    "The key in the file is not the one that the receipt names.",
  );
  const signed = await isSigned(file, own);
  if (keys.length === 0) {
    return [
      named,
      test(
        signed,
        "The signature is by the key in the file.",
        "The signature is not by the key in the file.",
      ),
    ];
  }
  const given = await Promise.all(keys.map((key) => isSigned(file, key)));
  const otherwise = signed ? ", it is by the key in the file" : "";
  const fails = `The signature is not by a key that was given${otherwise}.`;
  return [named, test(given.includes(true), "The signature is by a key that was given.", fails)];
}

async function isSigned(file: ReceiptFile, publicKey: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return await crypto.subtle.verify("Ed25519", key, Uint8Array.fromBase64(file.signature), signedBytes(file));
}

function checkChain(receipts: readonly Read[]): Finding[] {
  const ordered = receipts.toSorted((a, b) => a.file.sequence - b.file.sequence);
  const findings = ordered.slice(1).flatMap((receipt, at): Finding[] => {
    const before = ordered[at]!;
    const [place, last] = [receipt.file.sequence, before.file.sequence];
    if (place === last) {
      return receipt.hash === before.hash
        ? [{
          verdict: "note",
          says: `Receipt ${place} is given twice, in ${before.name} and ${receipt.name}.`,
        }]
        : [{
          verdict: "fails",
          says: `${before.name} and ${receipt.name} are different and both receipt ${place}.`,
        }];
    }
    if (place > last + 1) {
      const missing = place === last + 2
        ? `Receipt ${last + 1} is`
        : `Receipts ${last + 1} to ${place - 1} are`;
      return [{
        verdict: "fails",
        says: `${missing} not among the files, so the chain is not shown across it.`,
      }];
    }
    if (receipt.file.previousHash === before.hash) return [];
    return [{
      verdict: "fails",
      says: `Receipt ${place} does not follow receipt ${last} as it is in ${before.name}.`,
    }];
  });
  const [from, to] = [ordered[0]!.file.sequence, ordered.at(-1)!.file.sequence];
  const range = `receipts ${from} to ${to}`;
  return [
    ...findings,
    ...findings.some(({ verdict }) => verdict === "fails") ? [] : [
      {
        verdict: "holds",
        says: `Each of ${range} follows the one before it, and none is missing between them.`,
      } as const,
    ],
    {
      verdict: "note",
      says: `Nothing is shown about receipts ${from > 1 ? `before ${from} and ` : ""}after ${to}.`,
    },
  ];
}

function test(condition: boolean, holds: string, fails: string): Finding {
  return condition ? { verdict: "holds", says: holds } : { verdict: "fails", says: fails };
}
