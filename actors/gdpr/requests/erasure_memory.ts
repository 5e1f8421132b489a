/** Erasure memory of the database (suppression list): keeps registrations and imports from restoring erased customers. */
import type { Tx } from "../../../db/connect.ts";
import type { EmailHash } from "../../../db/email_hashes.ts";
import { findErasure, findErasureOfEmail } from "../../../db/erased_subjects.ts";
import { DomainError } from "../../../domain/errors.ts";

/** Time of the customer's erasure; undefined if the erasure memory of the store does not contain it. */
export async function wasErased(tx: Tx, storeId: string, customerId: string): Promise<Date | undefined> {
  return await findErasure(tx, storeId, customerId);
}

/** @throws {DomainError} REFUSED_IN_STATE: a customer with this ID was erased, and IDs are not reused */
export async function refuseErased(tx: Tx, storeId: string, customerId: string): Promise<void> {
  const erasedAt = await wasErased(tx, storeId, customerId);
  if (!erasedAt) return;
  throw new DomainError(
    "REFUSED_IN_STATE",
    `Cannot register ${customerId}: it was erased on ${day(erasedAt)}`,
  );
}

/**
 * Returns whether the store has erased a person under an email.
 *
 * @param hashes result of hashEmail
 */
export async function isErasedEmail(
  tx: Tx,
  storeId: string,
  hashes: readonly EmailHash[],
): Promise<boolean> {
  return await findErasureOfEmail(tx, storeId, hashes) !== undefined;
}

/**
 * @param hashes result of hashEmail
 * @throws {DomainError} REFUSED_IN_STATE: a customer who had this email was erased, and the command does not declare the
 * return
 */
export async function refuseErasedEmail(
  tx: Tx,
  storeId: string,
  customerId: string,
  hashes: readonly EmailHash[],
): Promise<void> {
  const erasedAt = await findErasureOfEmail(tx, storeId, hashes);
  if (!erasedAt) return;
  throw new DomainError(
    "REFUSED_IN_STATE",
    `Cannot register ${customerId}: a customer with this email was erased on ${day(erasedAt)}; ` +
      "set returning if the person comes back by their own choice",
  );
}

function day(date: Date): string {
  return date.toISOString().slice(0, "2026-01-01".length);
}
