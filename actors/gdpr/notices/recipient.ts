/** Recipient of a notice: the customer's row, or after an erasure a sealed copy of it until the notice is settled. */
import {
  findSealedNotice,
  findUnsettledNotices,
  type NoticeRow,
  storeSealedRecipient,
} from "../../../db/gdpr_notices.ts";
import type { Tx } from "../../../db/connect.ts";
import { seal, type SealingKey, unseal } from "../../../lib/sealing.ts";

export interface Recipient {
  email: string;
  /** BCP 47. */
  locale: string | null;
}

const placeOf = ({ storeId, noticeId }: Pick<NoticeRow, "storeId" | "noticeId">) =>
  ["gdpr_notices", storeId, noticeId] as const;

/** Seals the recipient of every notice to a customer that is not settled. The customer is about to be erased. */
export async function sealRecipients(
  tx: Tx,
  key: SealingKey,
  { storeId, customerId }: { storeId: string; customerId: string },
  recipient: Recipient,
): Promise<void> {
  for (const noticeId of await findUnsettledNotices(tx, storeId, customerId)) {
    const notice = { storeId, noticeId };
    await storeSealedRecipient(tx, notice, await sealRecipient(key, notice, recipient));
  }
}

/** Copies the sealed recipient of the closing notice of an erasure that has begun, if one has. */
export async function inheritRecipient(
  tx: Tx,
  keys: readonly [SealingKey, ...SealingKey[]],
  { storeId, requestId, noticeId }: { storeId: string; requestId: string; noticeId: string },
): Promise<void> {
  const closing = await findSealedNotice(tx, storeId, requestId);
  const recipient = closing && await openRecipient(keys, closing);
  if (!recipient) return;
  const notice = { storeId, noticeId };
  await storeSealedRecipient(tx, notice, await sealRecipient(keys[0], notice, recipient));
}

function sealRecipient(
  key: SealingKey,
  notice: Pick<NoticeRow, "storeId" | "noticeId">,
  { email, locale }: Recipient,
) {
  return seal(key, placeOf(notice), JSON.stringify([email, locale]));
}

/**
 * @returns undefined: no recipient is sealed
 * @throws {Error} the key is not configured, or the value was changed or moved
 */
export async function openRecipient(
  keys: readonly SealingKey[],
  notice: Pick<NoticeRow, "storeId" | "noticeId" | "sealedRecipient" | "keyId">,
): Promise<Recipient | undefined> {
  const { sealedRecipient: bytes, keyId } = notice;
  if (bytes === null || keyId === null) return undefined;
  const [email, locale] = JSON.parse(await unseal(keys, placeOf(notice), { keyId, bytes }));
  return { email, locale };
}
