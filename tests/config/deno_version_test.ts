/** Releases of Deno that start-up refuses. */
import { refuseBrokenDeno } from "../../config/deno_version.ts";
import { ConfigError } from "../../config/mod.ts";
import assert from "node:assert/strict";

Deno.test("start-up refuses the releases of Deno that corrupt memory, and says what to run", () => {
  for (const version of ["2.9.4", "2.9.5", "2.9.6"]) {
    assert.throws(
      () => refuseBrokenDeno(version),
      (error) =>
        error instanceof ConfigError && error.message.includes(version) && /2\.9\.3/.test(error.message),
    );
  }
});

Deno.test("start-up accepts every other release of Deno", () => {
  for (const version of ["2.8.3", "2.9.3", "2.9.7", "2.9.40", "12.9.4", Deno.version.deno]) {
    refuseBrokenDeno(version);
  }
});
