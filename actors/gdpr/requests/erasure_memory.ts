/** Erasure memory of the database (suppression list): keeps registrations and imports from restoring erased customers. */
import type { ActorFacts } from "../../../db/actor_reads.ts";
import { DomainError } from "../../../domain/errors.ts";

/** @throws {DomainError} REFUSED_IN_STATE: a customer with this ID was erased, and IDs are not reused */
export function refuseErased(customerId: string, { idErasedAt }: ActorFacts): void {
  if (!idErasedAt) return;
  throw new DomainError(
    "REFUSED_IN_STATE",
    `Cannot register ${customerId}: it was erased on ${day(idErasedAt)}`,
  );
}

/**
 * @throws {DomainError} REFUSED_IN_STATE: a customer who had this email was erased, and the command does not declare the
 * return
 */
export function refuseErasedEmail(customerId: string, { emailErasedAt }: ActorFacts): void {
  if (!emailErasedAt) return;
  throw new DomainError(
    "REFUSED_IN_STATE",
    `Cannot register ${customerId}: a customer with this email was erased on ${day(emailErasedAt)}; ` +
      "set returning if the person comes back by their own choice",
  );
}

function day(date: Date): string {
  return date.toISOString().slice(0, "2026-01-01".length);
}
