/** The erasure memory inside of the database: nobody who has left comes back by a registration or an import. */
import type { Tx } from "../../../db/connect.ts";
import { findErasedSubject, findErasureOfEmail } from "../../../db/erased_subjects.ts";
import { DomainError } from "../../../domain/errors.ts";

/** When the customer was erased; undefined where the store remembers nothing of it. */
export async function wasErased(tx: Tx, storeId: string, customerId: string): Promise<Date | undefined> {
  return (await findErasedSubject(tx, storeId, customerId))?.erasedAt;
}

/** @throws {DomainError} REFUSED_IN_STATE: an id that was erased is not given to a customer again */
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
 * @param emailHash as hashEmail makes it
 */
export async function isErasedEmail(tx: Tx, storeId: string, emailHash: Uint8Array): Promise<boolean> {
  return await findErasureOfEmail(tx, storeId, emailHash) !== undefined;
}

/**
 * @param emailHash as hashEmail makes it
 * @throws {DomainError} REFUSED_IN_STATE: the person was erased under this email, and has to want to come back
 */
export async function refuseErasedEmail(
  tx: Tx,
  storeId: string,
  customerId: string,
  emailHash: Uint8Array,
): Promise<void> {
  const erasedAt = await findErasureOfEmail(tx, storeId, emailHash);
  if (!erasedAt) return;
  throw new DomainError(
    "REFUSED_IN_STATE",
    `Cannot register ${customerId}: somebody with this email was erased on ${day(erasedAt)}; ` +
      "returning says that the person comes back of their own will",
  );
}

function day(date: Date): string {
  return date.toISOString().slice(0, "2026-01-01".length);
}
