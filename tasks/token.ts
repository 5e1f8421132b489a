// deno-lint-ignore-file no-console -- a task prints its result
/** `deno task token customer|staff|service …`: prints only a token of the development issuer. */
import { parseArgs } from "node:util";
import { v5 as uuidV5 } from "uuid";
import { ROLES } from "../domain/principal.ts";
import { DEMO } from "../demo/ids.ts";
import { ConfigError, readConfig } from "../config/mod.ts";
import { PrincipalClaims, principalOf } from "../auth/claims.ts";
import { openDevelopmentIssuer } from "../auth/development_issuer.ts";
import type { VerifiedToken } from "../auth/token.ts";

const HELP = `Prints a token that a service started with the same DATA_DIR accepts in development.

  deno task token customer [CUSTOMER_ID [STORE_ID]]   a shopper, by default the demo customer
  deno task token staff [STORE_ID [ROLE…]]            store staff, by default STORE_MANAGER of the demo store
  deno task token service NAME [STORE_ID]             a service such as cart-service, for gRPC and REST

  --ttl DURATION   lifetime of the token: 30s, 15m, 8h (default) or 30d
  --help           this text

Roles: ${ROLES.join(", ")}.`;

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 };

class UsageError extends Error {}

async function main(args: string[]): Promise<string> {
  const { help, ttl, positionals } = parse(args);
  if (help) return HELP;
  const token = subject(positionals);
  const ttlSeconds = seconds(ttl);
  const { auth, dataDirectory } = readConfig(Deno.env.toObject());
  if (auth.tokens?.from !== "development") {
    throw new UsageError("Cannot issue a token: this environment does not use the development issuer");
  }
  return await (await openDevelopmentIssuer(dataDirectory)).sign(token, ttlSeconds);
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
    throw new UsageError("Cannot parse the options: only --ttl DURATION and --help are known");
  }
}

function subject([kind, ...rest]: string[]): VerifiedToken {
  if (kind === "customer" && rest.length <= 2) {
    const [customerId = DEMO.customerId, storeId = DEMO.storeId] = rest;
    return describe("CUSTOMER", customerId, storeId);
  }
  if (kind === "staff") {
    const [storeId = DEMO.storeId, ...roles] = rest;
    return describe("STAFF", DEMO.staffId, storeId, roles.length > 0 ? roles : ["STORE_MANAGER"]);
  }
  const [name, storeId = DEMO.storeId] = rest;
  if (kind === "service" && name && rest.length <= 2) {
    const id = uuidV5(`${name}.customer-service.localhost`, uuidV5.DNS);
    return { ...describe("SYSTEM", id, storeId), service: name };
  }
  throw new UsageError(
    "Cannot issue a token: expected customer, staff or service NAME and their IDs; see --help",
  );
}

function describe(type: string, id: string, storeId: string, roles: string[] = []): VerifiedToken {
  const unknown = roles.find((role) => !ROLES.some((known) => known === role));
  if (unknown !== undefined) {
    throw new UsageError(`Cannot issue a token: a role is one of ${ROLES.join(", ")}`);
  }
  const { data } = PrincipalClaims.safeParse({
    sub: id,
    store_id: storeId,
    principal_type: type,
    roles: roles.map((role) => `${role}@${storeId}`),
    ...(type === "CUSTOMER" && { auth_time: Math.floor(Date.now() / 1_000) }),
  });
  if (!data) throw new UsageError("Cannot issue a token: an ID is not a UUID; see --help");
  return { principal: principalOf(data), service: undefined };
}

function seconds(duration: string): number {
  const [, amount, unit] = duration.match(/^([1-9]\d{0,4})([smhd])$/) ?? [];
  if (!amount || !unit) {
    throw new UsageError("Cannot issue a token: --ttl is a duration such as 30s, 15m, 8h or 30d");
  }
  return Number(amount) * SECONDS[unit as keyof typeof SECONDS];
}

try {
  console.log(await main(Deno.args));
} catch (error) {
  if (!(error instanceof UsageError || error instanceof ConfigError)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
