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

/** Key of a customer or of a guest. */
interface SubjectKey {
  storeId: string;
  customerId: string;
}

const placeOf = ({ storeId, noticeId }: Pick<NoticeRow, "storeId" | "noticeId">) =>
  ["gdpr_notices", storeId, noticeId] as const;

/** Seals the recipient of every notice to a subject that is not settled. The subject is about to be erased. */
export async function sealRecipients(
  tx: Tx,
  key: SealingKey,
  { storeId, customerId }: SubjectKey,
  recipient: Recipient,
): Promise<void> {
  for (const noticeId of await findUnsettledNotices(tx, storeId, customerId)) {
    await sealRecipientOf(tx, key, { storeId, noticeId }, recipient);
  }
}

/** Seals the recipient of one notice. */
export async function sealRecipientOf(
  tx: Tx,
  key: SealingKey,
  notice: { storeId: string; noticeId: string },
  recipient: Recipient,
): Promise<void> {
  await storeSealedRecipient(tx, notice, await sealRecipient(key, notice, recipient));
}

/** Returns the recipient of another notice to an erased subject; undefined once every notice is settled. */
export async function findSealedRecipient(
  tx: Tx,
  keys: readonly SealingKey[],
  { storeId, customerId }: SubjectKey,
): Promise<Recipient | undefined> {
  const sealed = await findSealedNotice(tx, storeId, customerId);
  return sealed && await openRecipient(keys, sealed);
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
