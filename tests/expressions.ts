/** Finds the regular expressions of the service, and checks that they take linear time. */
import assert from "node:assert/strict";
import { z } from "zod";

// Before the import, because recheck's other builds start processes.
Deno.env.set("RECHECK_BACKEND", "pure");
const { checkSync } = await import("recheck");

const ROOT = new URL("../", import.meta.url);
/** Not ours, not part of the service, or generated. */
const OUTSIDE = ["tests", "bench", "vendor", "node_modules", "proto"];
/** For busy machines. An unknown result counts as a failure. */
const TIMEOUT_MS = 120_000;

/**
 * Expressions that were found to be linear, as texts: some take seconds to check. The result depends on the text alone, so
 * expressions_test.ts checks only those that are missing; the long test checks all of them, and writes the list.
 */
export const VERIFIED = new URL("./expressions_verified.json", import.meta.url);

export const readVerified = async (): Promise<string[]> => JSON.parse(await Deno.readTextFile(VERIFIED));

/** False positives of recheck with their reasons. The key is the source of the expression. */
const JUSTIFIED: Record<string, string> = {
  "^[\\x20-\\x7e]{1,255}$": "anchored, and reads at most 256 characters",
};

/**
 * The automaton decides most expressions in milliseconds. What it does not prove safe, such as an expression with a
 * lookahead, goes to the checker that recheck chooses.
 *
 * @returns "safe": takes linear time
 */
export function checkExpression({ source, flags }: RegExp): string {
  if (source in JUSTIFIED) return "safe";
  const proof = checkSync(source, flags, { timeout: TIMEOUT_MS, checker: "automaton" });
  return proof.status === "safe" ? "safe" : checkSync(source, flags, { timeout: TIMEOUT_MS }).status;
}

/** Each expression of ours, and those of zod that match input, once, by its text. */
export async function findExpressions(): Promise<Map<string, { path: string; pattern: RegExp }>> {
  const found: { path: string; pattern: RegExp }[] = [];
  for await (const path of sources()) {
    const create = (): Deno.lint.LintVisitor => ({
      Literal(node) {
        // The type lacks the property `regex`.
        const { regex } = node as { regex?: { pattern: string; flags: string } };
        if (regex) found.push({ path, pattern: new RegExp(regex.pattern, regex.flags) });
      },
      NewExpression(node) {
        const made = node.callee.type === "Identifier" && node.callee.name === "RegExp";
        assert.ok(!made, `${path} creates a regular expression from a string, which cannot be checked`);
      },
    });
    Deno.lint.runPlugin(
      { name: "expressions", rules: { collect: { create } } },
      path,
      await Deno.readTextFile(new URL(path, ROOT)),
    );
  }
  assert.ok(found.length > 50, `only ${found.length} were found`);
  const { email, guid, uuid } = z.core.regexes;
  found.push(...[email, guid, uuid()].map((pattern) => ({ path: "zod", pattern })));
  return new Map(found.map((expression) => [String(expression.pattern), expression]));
}

async function* sources(folder = ""): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(folder || "./", ROOT))) {
    const path = `${folder}${entry.name}`;
    if (entry.name.startsWith(".") || (folder === "" && OUTSIDE.includes(entry.name))) continue;
    if (entry.isDirectory) yield* sources(`${path}/`);
    else if (/\.(tsx?|js)$/.test(path)) yield path;
  }
}
