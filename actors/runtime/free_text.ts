/** Check of the free text in a command: it must not contain personal data. */
import { findErasableValues } from "../../db/personal_data.ts";
import { DomainError } from "../../domain/errors.ts";
import { findPersonalData } from "../../domain/free_text.ts";
import type { Decision } from "./behavior.ts";
import { type Scene, transactionOf } from "./storage.ts";

/**
 * @param purpose of the command, for the message
 * @param customerId the customer whom the actor is about
 * @throws {DomainError} INVALID_INPUT: a text contains an email address, a phone number or a value of the customer
 */
export async function refusePersonalData(
  scene: Scene,
  { reason, note, texts = {} }: Pick<Decision, "reason" | "note" | "texts">,
  customerId: string | undefined,
  purpose: string,
): Promise<void> {
  const given = Object.entries({ reason, note, ...texts }).flatMap(([field, text]) =>
    text === undefined ? [] : [[field, text] as const]
  );
  if (given.length === 0) return;
  const tx = transactionOf(scene); // the values must not change until the commit
  const values = customerId === undefined ? [] : await findErasableValues(tx, scene.ref.storeId, customerId);
  for (const [field, text] of given) {
    const contents = findPersonalData(text, values);
    if (!contents) continue;
    const message = `must not contain ${contents}`;
    throw new DomainError("INVALID_INPUT", `Cannot ${purpose}: ${field} ${message}`, {
      fields: [{ field, message }],
    });
  }
}
