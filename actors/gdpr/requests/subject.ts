/** The person whom a request is about: a customer, or a guest, who has no account. */
import { v7 as newId } from "uuid";
import type { Tx } from "../../../db/connect.ts";
import {
  type CustomerRow,
  findCustomerByEmail,
  findRecipient,
  isCustomerErased,
  lockCustomer,
} from "../../../db/customers.ts";
import { type EmailHash, insertEmailHashes } from "../../../db/email_hashes.ts";
import {
  findGuest,
  findGuestByHash,
  type GuestKey,
  type GuestRow,
  insertGuest,
  lockGuest,
  resealContact,
} from "../../../db/guests.ts";
import type { ReadSql } from "../../../db/store_reader.ts";
import { seal, type SealingKey, unseal } from "../../../lib/sealing.ts";

/** Contact data of a guest. */
export interface Contact {
  email: string;
  /** E.164. */
  phone: string | null;
  /** BCP 47. */
  locale: string | null;
}

/** A locked customer or guest. A guest has no account, so no holds either. */
export type Subject =
  | CustomerRow & { isGuest: false }
  | GuestRow & { isGuest: true; status: null; closedAt: null; holds: 0 };

type SealingKeys = readonly [SealingKey, ...SealingKey[]];

/**
 * Locks the subject of a request until the transaction ends.
 *
 * @returns undefined: the ID is neither that of a customer nor that of a guest
 */
export async function lockSubject(
  tx: Tx,
  { storeId, customerId }: GuestKey,
): Promise<Subject | undefined> {
  const customer = await lockCustomer(tx, storeId, customerId);
  if (customer) return { ...customer, isGuest: false };
  const guest = await lockGuest(tx, { storeId, customerId });
  return guest && { ...guest, isGuest: true, status: null, closedAt: null, holds: 0 };
}

/** Returns the contact data of a locked subject; undefined once they are destroyed. */
export async function contactOf(
  keys: readonly SealingKey[],
  subject: Subject,
): Promise<Contact | undefined> {
  if (subject.isGuest) return await openContact(keys, subject);
  const { email, phone, locale } = subject;
  return email === null ? undefined : { email, phone, locale };
}

/** Whether the contact data of the subject are destroyed. */
export async function isContactDestroyed(tx: Tx, { storeId, customerId }: GuestKey): Promise<boolean> {
  return await isCustomerErased(tx, storeId, customerId) ??
    (await findGuest(tx, { storeId, customerId }))?.sealedContact === null;
}

/** Returns where the subject can be reached; undefined after an erasure. */
export async function findSubjectRecipient(
  sql: ReadSql,
  keys: readonly SealingKey[],
  { storeId, customerId }: GuestKey,
): Promise<Pick<Contact, "email" | "locale"> | undefined> {
  return await findRecipient(sql, storeId, customerId) ??
    await findContact(sql, keys, { storeId, customerId });
}

/** Returns the contact data of a guest; undefined for a customer, and once they are destroyed. */
export async function findContact(
  sql: ReadSql,
  keys: readonly SealingKey[],
  key: GuestKey,
): Promise<Contact | undefined> {
  const guest = await findGuest(sql, key);
  return guest && await openContact(keys, guest);
}

/**
 * Returns the ID of the customer who has the email, else that of the guest whose request has stated it before. Otherwise
 * adds a guest.
 */
export async function identifySubject(
  tx: Tx,
  { sealingKeys, hashEmail }: {
    sealingKeys: SealingKeys;
    hashEmail(email: string): Promise<EmailHash[]>;
  },
  { storeId, contact }: { storeId: string; contact: Contact },
  readTime: () => Promise<Date>,
): Promise<string> {
  const customerId = await findCustomerByEmail(tx, storeId, contact.email);
  if (customerId) return customerId;
  const hashes = await hashEmail(contact.email);
  const known = await findGuestByHash(tx, storeId, hashes.map(({ hash }) => hash));
  if (known) {
    if (known.sealedContact === null) {
      await resealContact(tx, known, await sealContact(sealingKeys[0], known, contact));
    }
    return known.customerId;
  }
  const guest = { storeId, customerId: newId() };
  await insertGuest(tx, guest, await sealContact(sealingKeys[0], guest, contact), await readTime());
  await insertEmailHashes(tx, guest, hashes);
  return guest.customerId;
}

const placeOf = ({ storeId, customerId }: GuestKey) => ["guests", storeId, customerId] as const;

const sealContact = (key: SealingKey, guest: GuestKey, { email, phone, locale }: Contact) =>
  seal(key, placeOf(guest), JSON.stringify([email, phone, locale]));

/** @throws {Error} the key is not configured, or the value was changed or moved */
async function openContact(keys: readonly SealingKey[], guest: GuestRow): Promise<Contact | undefined> {
  const { sealedContact: bytes, keyId } = guest;
  if (bytes === null || keyId === null) return undefined;
  const [email, phone, locale] = JSON.parse(await unseal(keys, placeOf(guest), { keyId, bytes }));
  return { email, phone, locale };
}
