/** Integer attributes. Deno exports numbers as floating point, "200.0", and only a bigint as an integer. */

/** @returns the integer as Deno exports it, in the type that the API's attributes have */
export function integer(value: number): number {
  return BigInt(value) as unknown as number;
}
