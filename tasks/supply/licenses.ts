/** Checks licenses against the allowed ones. */
import parse, { type Info } from "spdx-expression-parse";
import { ALLOWED_LICENSES, LICENSE_EXCEPTIONS } from "./rules.ts";

/** Reason for refusing a package's license; undefined if it is allowed. */
export function objection(name: string, license: string): string | undefined {
  const exceptions = LICENSE_EXCEPTIONS.filter((exception) => exception.name === name);
  const allowed = [...ALLOWED_LICENSES, ...exceptions.map(({ license }) => license)];
  const read = tryParse(license);
  if (!read) return `"${license}" is not an SPDX expression`;
  return allows(allowed, read) ? undefined : `${license} is not allowed`;
}

function tryParse(license: string): Info | undefined {
  try {
    return parse(license);
  } catch {
    return undefined;
  }
}

/** For "or" one allowed license is enough; for "and" both must be allowed. */
function allows(allowed: readonly string[], read: Info): boolean {
  if ("license" in read) return allowed.includes(read.license);
  const sides = [read.left, read.right].map((side) => allows(allowed, side));
  return read.conjunction === "or" ? sides.some(Boolean) : sides.every(Boolean);
}
