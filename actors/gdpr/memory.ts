/** The erasure memory inside of the database: nobody who has left comes back by a registration or an import. */
import type { Tx } from "../../db/connect.ts";
import { findErasedSubject } from "../../db/erased_subjects.ts";
import { DomainError } from "../errors.ts";

/** When the customer was erased; undefined where the store remembers nothing of it. */
export async function wasErased(tx: Tx, storeId: string, customerId: string): Promise<Date | undefined> {
  return (await findErasedSubject(tx, storeId, customerId))?.erasedAt;
}

/** @throws {DomainError} REFUSED_IN_STATE: an id that was erased is not given to a customer again */
export async function refuseErased(tx: Tx, storeId: string, customerId: string): Promise<void> {
  const erasedAt = await wasErased(tx, storeId, customerId);
  if (!erasedAt) return;
  const date = erasedAt.toISOString().slice(0, "2026-01-01".length);
  throw new DomainError("REFUSED_IN_STATE", `Cannot register ${customerId}: it was erased on ${date}`);
}
