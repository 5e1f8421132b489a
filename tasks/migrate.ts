// deno-lint-ignore-file no-console -- a task prints its result
/** `deno task migrate`: applies the missing migrations and prints their names. */
import { configureLogging } from "../config/logging.ts";
import { ConfigError } from "../config/mod.ts";
import { VARIABLES } from "../config/variables.ts";
import { describeError } from "../lib/error_description.ts";
import { migrate, MigrationError } from "../db/migrate.ts";
import { UnusableDatabase } from "../db/requirements.ts";
import { readEnvironment } from "./environment.ts";

try {
  await using _log = await configureLogging(false);
  const { DATABASE_URL, DATABASE_DIRECT_URL } = await readEnvironment(["DATABASE_URL"]);
  const url = DATABASE_DIRECT_URL || DATABASE_URL;
  if (!url) {
    throw new ConfigError(
      "Cannot migrate: DATABASE_URL is not set (the embedded database migrates itself at start)",
    );
  }
  const { schema, expected } = VARIABLES.DATABASE_URL;
  if (!schema.safeParse(url).success) {
    const name = DATABASE_DIRECT_URL ? "DATABASE_DIRECT_URL" : "DATABASE_URL";
    throw new ConfigError(`Cannot migrate: ${name}: expected ${expected}`);
  }
  const applied = await migrate(url);
  for (const name of applied) console.log(`applied ${name}`);
  console.log("The schema is up to date.");
} catch (error) {
  const isExpected = error instanceof ConfigError || error instanceof MigrationError ||
    error instanceof UnusableDatabase;
  console.error(isExpected ? error.message : `Cannot migrate: ${describeError(error)}`);
  Deno.exit(1);
}
