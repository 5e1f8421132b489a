/** Refuses releases of Deno with a defect that affects clients. */
import { ConfigError } from "./mod.ts";

/** From this release to before `FIXED_IN`, `Deno.serve` closes the connection after a body of 1 to 2 KB or more. */
const FAULTY_FROM = [2, 8, 3] as const;
const FIXED_IN = [2, 9, 6] as const;

/**
 * @param version value of `Deno.version.deno`
 * @throws {ConfigError} the release cannot keep connections alive
 */
export function refuseFaultyDeno(version: string): void {
  const release = version.split(/[.+-]/).slice(0, 3).map(Number);
  if (isBefore(release, FAULTY_FROM) || !isBefore(release, FIXED_IN)) return;
  throw new ConfigError(
    `Cannot start on Deno ${version}: it closes the connection after most requests with a body ` +
      `(https://github.com/denoland/deno/issues/36657). Use Deno ${FIXED_IN.join(".")} or newer: ` +
      `npx -y deno@${FIXED_IN.join(".")} task start`,
  );
}

function isBefore(release: readonly number[], other: readonly number[]): boolean {
  for (let at = 0; at < other.length; at++) {
    if (release[at] !== other[at]) return (release[at] ?? 0) < other[at]!;
  }
  return false;
}
