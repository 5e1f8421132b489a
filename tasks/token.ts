// deno-lint-ignore-file no-console -- a task prints its result
/** `deno task token customer|staff|service …`: prints only a token of the development issuer. */
import { parseArgs } from "node:util";
import { ROLES } from "../domain/principal.ts";
import { ConfigError, readConfig } from "../config/mod.ts";
import { issueToken, readCaller, TokenError } from "./development_tokens.ts";

const HELP = `Prints a token that a service started with the same DATA_DIR accepts in development.

  deno task token customer [CUSTOMER_ID [STORE_ID]]   a shopper, by default the demo customer
  deno task token staff [STORE_ID [ROLE…]]            store staff, by default STORE_MANAGER of the demo store
  deno task token service NAME [STORE_ID]             a service such as cart-service, for gRPC and REST

  --ttl DURATION   lifetime of the token: 30s, 15m, 8h (default) or 30d
  --help           this text

Roles: ${ROLES.join(", ")}.`;

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 };

async function main(args: string[]): Promise<string> {
  const { help, ttl, positionals } = parse(args);
  if (help) return HELP;
  const caller = readCaller(positionals);
  return await issueToken(readConfig(Deno.env.toObject()), caller, seconds(ttl));
}

function parse(args: string[]) {
  try {
    const options = {
      ttl: { type: "string", default: "8h" },
      help: { type: "boolean", short: "h" },
    } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return { ...values, positionals };
  } catch {
    throw new TokenError("Cannot parse the options: only --ttl DURATION and --help are known");
  }
}

function seconds(duration: string): number {
  const [, amount, unit] = duration.match(/^([1-9]\d{0,4})([smhd])$/) ?? [];
  if (!amount || !unit) {
    throw new TokenError("Cannot issue a token: --ttl is a duration such as 30s, 15m, 8h or 30d");
  }
  return Number(amount) * SECONDS[unit as keyof typeof SECONDS];
}

try {
  console.log(await main(Deno.args));
} catch (error) {
  if (!(error instanceof TokenError || error instanceof ConfigError)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
