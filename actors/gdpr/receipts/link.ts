/**
 * Links to receipts. A link works without a token and does not expire, because the account of the person is erased
 * before the receipt exists. Each holder of a link can read the receipt, which contains no personal value.
 */
import { readLink, signLink } from "../exports/token.ts";
import type { RequestKey } from "../types.ts";

/** Returns the path of the receipt of an erasure, relative to the service's public address. */
export type LinkToReceipt = (key: RequestKey) => Promise<string>;

/** A request has one link; the links to its documents have generations from 1, and other keys. */
const GENERATION = 0;

/** @param keys HMAC with SHA-256: the current key, followed by earlier ones, whose links stay valid */
export async function receiptLink(keys: readonly CryptoKey[], key: RequestKey): Promise<string> {
  const [current] = keys;
  if (!current) throw new Error("Cannot sign a link to a receipt: there is no key");
  return `/receipts/${await signLink(current, { ...key, generation: GENERATION })}`;
}

/** @returns undefined if no key has signed the token */
export async function readReceiptLink(
  keys: readonly CryptoKey[],
  token: string,
): Promise<RequestKey | undefined> {
  for (const key of keys) {
    const link = await readLink(key, token);
    if (link?.generation === GENERATION) return { storeId: link.storeId, requestId: link.requestId };
  }
}
