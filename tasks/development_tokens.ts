/** Principals that the development issuer signs tokens for, from the words of a command line. */
import { v5 as uuidV5 } from "uuid";
import { PrincipalClaims, principalOf } from "../auth/claims.ts";
import { openDevelopmentIssuer } from "../auth/development_issuer.ts";
import type { VerifiedToken } from "../auth/token.ts";
import type { Config } from "../config/mod.ts";
import { DEMO } from "../demo/ids.ts";
import { ROLES } from "../domain/principal.ts";

/** Reason why no token can be issued, as a sentence for the developer. */
export class TokenError extends Error {}

/**
 * @param words `customer [CUSTOMER_ID [STORE_ID]]`, `staff [STORE_ID [ROLE…]]` or `service NAME [STORE_ID]`
 * @throws {TokenError}
 */
export function readCaller([kind, ...rest]: readonly string[]): VerifiedToken {
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
  throw new TokenError(
    "Cannot issue a token: expected customer, staff or service NAME and their IDs; see --help",
  );
}

function describe(type: string, id: string, storeId: string, roles: string[] = []): VerifiedToken {
  const unknown = roles.find((role) => !ROLES.some((known) => known === role));
  if (unknown !== undefined) {
    throw new TokenError(`Cannot issue a token: a role is one of ${ROLES.join(", ")}`);
  }
  const { data } = PrincipalClaims.safeParse({
    sub: id,
    store_id: storeId,
    principal_type: type,
    roles: roles.map((role) => `${role}@${storeId}`),
    ...(type === "CUSTOMER" && { auth_time: Math.floor(Date.now() / 1_000) }),
  });
  if (!data) throw new TokenError("Cannot issue a token: an ID is not a UUID; see --help");
  return { principal: principalOf(data), service: undefined };
}

/**
 * Signs a token with the key in the data directory.
 *
 * @throws {TokenError} the environment trusts another issuer
 */
export async function issueToken(
  { auth, dataDirectory }: Pick<Config, "auth" | "dataDirectory">,
  caller: VerifiedToken,
  ttlSeconds: number,
): Promise<string> {
  if (auth.tokens?.from !== "development") {
    throw new TokenError("Cannot issue a token: this environment does not use the development issuer");
  }
  return await (await openDevelopmentIssuer(dataDirectory)).sign(caller, ttlSeconds);
}
