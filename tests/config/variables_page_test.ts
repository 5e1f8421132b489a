/** The page of the variables and the service know the same ones. */
import { VARIABLES } from "../../config/variables.ts";
import assert from "node:assert/strict";

const page = await Deno.readTextFile(new URL("../../docs/configuration.md", import.meta.url));

Deno.test("the page of the configuration names every variable, and none that the service does not read", () => {
  const section = page.match(/^## Variables$.*?(?=^## )/ms)?.[0] ?? "";
  const named = Array.from(section.matchAll(/^\| *`([A-Z0-9_]+)`/gm), ([, name]) => name);
  assert.deepEqual(named.sort(), Object.keys(VARIABLES).sort());
});
