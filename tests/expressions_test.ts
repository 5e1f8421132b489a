/** All regular expressions of ours, and those of zod that match input, take linear time. */
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

/** False positives of recheck with their reasons. The key is the source of the expression. */
const JUSTIFIED: Record<string, string> = {
  "^[\\x20-\\x7e]{1,255}$": "anchored, and reads at most 256 characters",
};

Deno.test("every regular expression takes linear time", async () => {
  const found = await expressions();
  assert.ok(found.length > 50, `only ${found.length} were found`);
  const { email, guid } = z.core.regexes;
  const used = [email, guid, z.core.regexes.uuid()];
  found.push(...used.map((pattern) => ({ path: "zod", pattern })));
  const wrong = new Set<string>();
  const unique = new Map(found.map((expression) => [String(expression.pattern), expression]));
  for (const { path, pattern } of unique.values()) {
    if (pattern.source in JUSTIFIED) continue;
    const status = check(pattern);
    if (status !== "safe") wrong.add(`${path} ${pattern}: ${status}`);
  }
  assert.deepEqual([...wrong], []);
});

Deno.test("the check detects a quadratic expression", () => {
  assert.equal(check(/( cannot represent[^:]*):.*$/s), "vulnerable");
});

/**
 * The automaton decides most expressions in milliseconds. What it does not prove safe, such as an expression with a
 * lookahead, goes to the checker that recheck chooses.
 */
function check({ source, flags }: RegExp): string {
  const proof = checkSync(source, flags, { timeout: TIMEOUT_MS, checker: "automaton" });
  return proof.status === "safe" ? "safe" : checkSync(source, flags, { timeout: TIMEOUT_MS }).status;
}

async function expressions(): Promise<{ path: string; pattern: RegExp }[]> {
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
  return found;
}

async function* sources(folder = ""): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(folder || "./", ROOT))) {
    const path = `${folder}${entry.name}`;
    if (entry.name.startsWith(".") || (folder === "" && OUTSIDE.includes(entry.name))) continue;
    if (entry.isDirectory) yield* sources(`${path}/`);
    else if (/\.(tsx?|js)$/.test(path)) yield path;
  }
}
