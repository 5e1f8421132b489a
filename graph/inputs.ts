/** Inputs of mutations, as commands take them. */
import { z } from "zod";
import { parseInput, uuid } from "../domain/input.ts";

export type Input = Record<string, unknown>;

/** Fields that an input may leave out and an address must have. GraphQL has no type for such a field. */
const REQUIRED = ["line1", "city", "country", "isDefaultShipping", "isDefaultBilling"];

const identified = z.object({ id: uuid });

/** Leaves out the required fields that are null, because null cannot clear them. */
export function addressFields(input: Input): Input {
  const fields = Object.entries(input).filter(([name, value]) => value !== null || !REQUIRED.includes(name));
  return Object.fromEntries(fields);
}

/**
 * Returns the argument `id` in lower case.
 *
 * @param operation for the message: "delete an address"
 * @throws {DomainError} INVALID_INPUT
 */
export function parseId(id: unknown, operation: string): string {
  return parseInput(identified, { id }, operation).id;
}
