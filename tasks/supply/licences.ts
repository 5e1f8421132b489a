/** Whether a package's licence is one that we take. */
import parse, { type Info } from "spdx-expression-parse";
import { ALLOWED_LICENCES, LICENCE_EXCEPTIONS } from "./rules.ts";

/** What is wrong with a package's licence, for whoever added it; undefined where it is allowed. */
export function objection(name: string, licence: string): string | undefined {
  const exceptions = LICENCE_EXCEPTIONS.filter((exception) => exception.name === name);
  const allowed = [...ALLOWED_LICENCES, ...exceptions.map(({ licence }) => licence)];
  const read = tryParse(licence);
  if (!read) return `"${licence}" is no SPDX expression`;
  return allows(allowed, read) ? undefined : `${licence} is not allowed`;
}

function tryParse(licence: string): Info | undefined {
  try {
    return parse(licence);
  } catch {
    return undefined;
  }
}

/** One of two licences that are offered is enough, both of two that hold together have to be allowed. */
function allows(allowed: readonly string[], read: Info): boolean {
  if ("license" in read) return allowed.includes(read.license);
  const sides = [read.left, read.right].map((side) => allows(allowed, side));
  return read.conjunction === "or" ? sides.some(Boolean) : sides.every(Boolean);
}
