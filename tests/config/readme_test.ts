/** README's configuration table and the service know the same variables. */
import { VARIABLES } from "../../config/variables.ts";
import assert from "node:assert/strict";

const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url)).catch(() => undefined);

Deno.test({
  name: "README's configuration table names every variable, and none that the service does not read",
  ignore: readme === undefined,
  fn() {
    const section = readme?.match(/^#+ Configuration$.*?(?=^# |^## |(?![^]))/ims)?.[0] ?? "";
    const named = Array.from(section.matchAll(/^\| *`([A-Z0-9_]+)`/gm), ([, name]) => name);
    assert.deepEqual(named.sort(), Object.keys(VARIABLES).sort());
  },
});
