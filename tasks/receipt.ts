// deno-lint-ignore-file no-console -- a task prints its result
/** `deno task receipt verify|show|key`: verifies erasure receipts offline, and prints them. */
import { Buffer } from "node:buffer";
import { createPublicKey } from "node:crypto";
import { parseArgs } from "node:util";
import { z } from "zod";
import { exportReceipt } from "../actors/gdpr/receipts/receipt.ts";
import { findDifference, isHeadSigned, readHead, signHead } from "../actors/gdpr/receipts/heads.ts";
import { readReceipt } from "../actors/gdpr/receipts/file.ts";
import {
  checkReceipts,
  type CheckResult,
  type Finding,
  type ParticipantKeys,
} from "../actors/gdpr/receipts/check.ts";
import { openKeys } from "../config/keys.ts";
import { ConfigError, readConfig } from "../config/mod.ts";
import { openPool } from "../db/connect.ts";
import { findHeads } from "../db/erasure_receipts.ts";
import { printable } from "../lib/printable.ts";
import { createStoreReader } from "../db/store_reader.ts";
import { describeError } from "../lib/error_description.ts";
import { readEnvironment } from "./environment.ts";

const HELP = `Verifies and prints erasure receipts.

  deno task receipt verify FILE… [--key PUBLIC]… [--text TEXT]… [--heads FILE]… [--participant-key SERVICE=PUBLIC]…
                                                   verifies receipts without network or database
  deno task receipt show STORE_ID REQUEST_ID       prints the receipt of a request; needs DATABASE_URL
  deno task receipt heads                          prints a signed line of JSON for the last receipt of each store;
                                                   needs DATABASE_URL with a login that is a member of customer_owner
  deno task receipt key                            prints this environment's public key, as PEM

  --key PUBLIC   the signer's public key: a PEM file, or the key in base64. Repeat it for a chain that begins with
                 an earlier key
  --heads FILE   lines that "heads" has printed and someone else has kept: shows that receipts were cut off or
                 replaced
  --participant-key SERVICE=PUBLIC
                 the public key of a participant, such as order-service, which must then have signed its confirmation.
                 Repeat it for several participants or keys. Without it, a signature is verified with the key that the
                 receipt states
  --text TEXT    a reason, or the evidence of a participant, that you have kept. The receipt has only salted hashes of
                 the texts, because the erasure removes them. Repeat it for several texts

verify exits with 1 if a check fails, and with 2 if none fails but there is no --key: then the signer is unknown.`;

class UsageError extends Error {}

async function main([verb, ...args]: string[]): Promise<number> {
  if (verb === "verify") return await verify(args);
  if (verb === "show") return await show(args);
  if (verb === "heads" && args.length === 0) return await printHeads();
  if (verb === "key" && args.length === 0) return await printKey();
  if (verb !== "--help" && verb !== "-h") {
    throw new UsageError("Cannot run receipt: expected verify, show, heads or key; see receipt --help");
  }
  console.log(HELP);
  return 0;
}

async function verify(args: string[]): Promise<number> {
  const { files, keys, heads, givenTexts, participants } = parse(args);
  const texts = await Promise.all(files.map(async (name) => ({ name, text: await readFile(name) })));
  const trusted = await Promise.all(keys.map((key) => readKey(key, "--key")));
  const checked = await checkReceipts(texts, trusted, givenTexts, await readParticipantKeys(participants));
  if (heads.length > 0) checked.push(await checkHeads(texts, heads, trusted));
  for (const { title, findings } of checked) {
    console.log(printable(title));
    for (const { verdict, message } of findings) console.log(`  ${MARKS[verdict]} ${printable(message)}`);
  }
  if (keys.length === 0) console.log(`\n${OWN_KEY}`);
  const failures =
    checked.flatMap(({ findings }) => findings).filter(({ verdict }) => verdict === "failed").length;
  if (failures > 0) {
    console.log(`\n${failures} of the checks failed.`);
    return 1;
  }
  console.log(keys.length > 0 ? "\nAll checks passed." : "\nNo check failed, but the signer is unknown.");
  return keys.length > 0 ? 0 : 2;
}

const MARKS = { passed: "passed", failed: "FAILED", note: "note  " };

const OWN_KEY =
  `Without --key each file was verified with the key that it contains. A signature that matches this key \
shows that the receipt was not changed afterwards, but not who signed it: a forger can include a key too. Use --key with the public key \
that the service's operator has published.`;

/** Compares the receipts with heads that someone has kept. */
async function checkHeads(
  texts: readonly { text: string }[],
  paths: readonly string[],
  keys: readonly Uint8Array<ArrayBuffer>[],
): Promise<CheckResult> {
  if (keys.length === 0) throw new UsageError("Cannot verify heads without --key: they would prove nothing");
  const receipts = texts.map(({ text }) => readReceipt(text)).filter((read) => typeof read !== "string");
  const lines = (await Promise.all(paths.map(readFile))).flatMap((text) => text.split(/\r?\n/))
    .filter((line) => line.trim() !== "");
  const findings = await Promise.all(lines.map(async (line, index): Promise<Finding> => {
    const head = readHead(line);
    if (!head) return { verdict: "failed", message: `Line ${index + 1} is not a head.` };
    if (!await isHeadSigned(head, keys)) {
      return { verdict: "failed", message: `No given key has signed line ${index + 1}.` };
    }
    const difference = findDifference(head, receipts);
    return difference === undefined
      ? { verdict: "passed", message: `Receipt ${head.sequence} is the same as on ${head.issuedAt}.` }
      : { verdict: "failed", message: difference };
  }));
  return { title: "The heads", findings };
}

async function printHeads(): Promise<number> {
  const { gdpr, dataDirectory, databaseUrl, databaseDirectUrl } = readConfig(await readEnvironment());
  const url = databaseDirectUrl ?? databaseUrl;
  if (!url) throw new UsageError("Cannot print heads: DATABASE_URL is not set");
  const { receiptKey } = await openKeys(gdpr.keys, dataDirectory);
  const sql = openPool(url, "customer_owner", 1);
  try {
    const at = new Date();
    for (const head of await findHeads(sql)) {
      console.log(JSON.stringify(await signHead(receiptKey, head, at)));
    }
    return 0;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

interface VerifyArguments {
  files: string[];
  keys: string[];
  heads: string[];
  givenTexts: string[];
  participants: string[];
}

function parse(args: string[]): VerifyArguments {
  try {
    const several = { type: "string", multiple: true, default: [] as string[] } as const;
    const options = { key: several, heads: several, text: several, "participant-key": several };
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (positionals.length > 0) {
      const { key: keys, heads, text: givenTexts, "participant-key": participants } = values;
      return { files: positionals, keys, heads, givenTexts, participants };
    }
  } catch { /* reported below */ }
  throw new UsageError("Cannot verify: expected FILE… and --key PUBLIC; see receipt --help");
}

async function readFile(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch((cause) => {
    throw new UsageError(`Cannot read ${path}: ${describeError(cause)}`);
  });
}

/** A PEM file, or base64 of the bare key or of its SubjectPublicKeyInfo. */
async function readKey(given: string, option: string): Promise<Uint8Array<ArrayBuffer>> {
  const text = await Deno.readTextFile(given).catch(() => given);
  try {
    const bytes = Uint8Array.fromBase64(text.replace(/-----[A-Z ]+-----/g, ""));
    if (bytes.length === 32) return bytes;
    const key = createPublicKey({ key: Buffer.from(bytes), format: "der", type: "spki" });
    const { crv, x } = key.export({ format: "jwk" });
    if (crv === "Ed25519" && x) return Uint8Array.fromBase64(x, { alphabet: "base64url" });
  } catch { /* reported below */ }
  throw new UsageError(
    `Cannot verify: ${option} is neither a PEM file nor base64 of an Ed25519 public key`,
  );
}

/** @param given SERVICE=PUBLIC each */
async function readParticipantKeys(given: readonly string[]): Promise<ParticipantKeys> {
  const keys: Record<string, Uint8Array<ArrayBuffer>[]> = {};
  for (const argument of given) {
    const [, service, key] = /^([a-z][a-z0-9-]*)=(.+)$/.exec(argument) ?? [];
    if (!service || !key) {
      throw new UsageError("Cannot verify: expected --participant-key SERVICE=PUBLIC; see receipt --help");
    }
    (keys[service] ??= []).push(await readKey(key, "--participant-key"));
  }
  return keys;
}

async function show([storeId = "", requestId = "", ...rest]: string[]): Promise<number> {
  const ids = z.tuple([z.guid(), z.guid()]).safeParse([storeId, requestId]);
  if (!ids.success || rest.length > 0) {
    throw new UsageError("Cannot show a receipt: expected STORE_ID REQUEST_ID, both UUIDs");
  }
  const { DATABASE_URL, DATABASE_DIRECT_URL } = await readEnvironment(["DATABASE_URL"]);
  const url = DATABASE_DIRECT_URL || DATABASE_URL;
  if (!url) {
    throw new UsageError(
      "Cannot show a receipt: DATABASE_URL is not set, and the embedded database belongs to the running service",
    );
  }
  const api = openPool(url, "customer_api", 1);
  try {
    const key = { storeId: storeId.toLowerCase(), requestId: requestId.toLowerCase() };
    const receipt = await exportReceipt(createStoreReader(api), key);
    if (!receipt) throw new UsageError(`Cannot find a receipt of request ${requestId} in store ${storeId}`);
    console.log(JSON.stringify(receipt, null, 2));
    return 0;
  } finally {
    await api.end({ timeout: 1 });
  }
}

async function printKey(): Promise<number> {
  const { gdpr, dataDirectory } = readConfig(await readEnvironment());
  const { receiptKey } = await openKeys(gdpr.keys, dataDirectory);
  const der = new Uint8Array(await crypto.subtle.exportKey("spki", receiptKey.public));
  console.log(`-----BEGIN PUBLIC KEY-----\n${der.toBase64()}\n-----END PUBLIC KEY-----`);
  return 0;
}

try {
  Deno.exitCode = await main(Deno.args);
} catch (error) {
  const isExpected = error instanceof UsageError || error instanceof ConfigError;
  console.error(isExpected ? error.message : `Cannot continue: ${describeError(error)}`);
  Deno.exitCode = 1;
}
