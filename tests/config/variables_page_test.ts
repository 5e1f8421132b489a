/** Documentation of the environment variables is complete. */
import { VARIABLES } from "../../config/variables.ts";
import assert from "node:assert/strict";

const page = await Deno.readTextFile(new URL("../../docs/configuration.md", import.meta.url));

Deno.test("the configuration page lists exactly the variables that the service reads", () => {
  const section = page.match(/^## Variables$.*?(?=^## )/ms)?.[0] ?? "";
  const named = Array.from(section.matchAll(/^\| *`([A-Z0-9_]+)`/gm), ([, name]) => name);
  assert.deepEqual(named.sort(), Object.keys(VARIABLES).sort());
});
