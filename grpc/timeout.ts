/** `grpc-timeout`: how long the caller waits, as up to eight digits and a unit. */

const UNIT_MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };
const FORM = /^(\d{1,8})([HMSmun])$/;

/** @returns milliseconds; undefined when the value does not have the form */
export function parseTimeout(value: string): number | undefined {
  const [, digits, unit] = FORM.exec(value) ?? [];
  return digits === undefined ? undefined : Number(digits) * UNIT_MS[unit!]!;
}

/** @param ms rounded up, so that the callee does not give up before the caller */
export function formatTimeout(ms: number): string {
  const whole = Math.max(0, Math.ceil(ms));
  return whole <= 99_999_999 ? `${whole}m` : `${Math.min(Math.ceil(whole / 1_000), 99_999_999)}S`;
}
