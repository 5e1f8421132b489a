/** Who sends an HTTP request: what its token says, or what the platform's gateway says in headers. */
import { timingSafeEqual } from "node:crypto";
import { DomainError } from "../domain/errors.ts";
import type { Principal } from "../domain/principal.ts";
import { PrincipalClaims, principalOf, wrongClaim } from "./claims.ts";
import type { TokenVerifier } from "./token.ts";
import { sha256 } from "../lib/hash.ts";

/** @throws {DomainError} UNAUTHENTICATED: nobody, or nobody known. UNAVAILABLE: it cannot be found out now */
export type Authenticator = (headers: Headers) => Promise<Principal>;

/**
 * Who sends a request, once for each store in which they have roles; as the one they act for unless they say
 * otherwise, first. Fails as an Authenticator does.
 */
export type StoresAuthenticator = (headers: Headers) => Promise<readonly [Principal, ...Principal[]]>;

/** Believes `Authorization: Bearer <token>` and nothing else. */
export function createTokenAuthenticator(verify: TokenVerifier): Authenticator {
  return async (headers) => (await verify(bearerToken(headers))).principal;
}

/** Believes the same token, for every store that it names roles in. */
export function createStoresAuthenticator(verify: TokenVerifier): StoresAuthenticator {
  return async (headers) => {
    const { principal, elsewhere = [] } = await verify(bearerToken(headers));
    return [principal, ...elsewhere];
  };
}

function bearerToken(headers: Headers): string {
  const authorization = headers.get("authorization");
  if (authorization === null) throw refusal("header authorization is missing");
  // Two such headers arrive as one with a comma, which no token has.
  const token = authorization.match(/^Bearer +([\w.~+/-]+=*)$/i)?.[1];
  if (!token) throw refusal("header authorization is not of the form Bearer <token>");
  return token;
}

const HEADERS: Record<keyof PrincipalClaims, string> = {
  sub: "x-user-id",
  store_id: "x-store-id",
  principal_type: "x-principal-type",
  roles: "x-roles",
};

/** How the gateway proves itself. */
const SECRET_HEADER = "x-gateway-secret";

/**
 * Believes the headers of a gateway that has verified them and lets none of the client's own through. Roles
 * stand between commas without spaces, and may be absent. A header that arrives twice reads "a, b": as one of
 * the two may be the client's, it is refused.
 *
 * @param secrets the gateway has to send one of them; none in development, where it need not prove itself
 */
export function createGatewayAuthenticator(secrets: readonly string[]): Authenticator {
  const accepted = secrets.map((secret) => sha256(secret));
  // deno-lint-ignore require-await -- so that a refusal is a rejection
  return async (headers) => {
    const shown = sha256(headers.get(SECRET_HEADER) ?? "");
    // Digests have one length, so the time of a comparison depends on nothing that is secret.
    const matches = accepted.filter((secret) => timingSafeEqual(secret, shown));
    if (accepted.length > 0 && matches.length === 0) {
      throw refusal(`header ${SECRET_HEADER} is missing or is not one of GATEWAY_SECRET`);
    }
    const read = (claim: keyof PrincipalClaims) => headers.get(HEADERS[claim]) ?? undefined;
    const roles = read("roles");
    const { data, error } = PrincipalClaims.safeParse({
      sub: read("sub"),
      store_id: read("store_id"),
      principal_type: read("principal_type"),
      roles: roles === "" ? [] : roles?.split(","),
    });
    if (error) throw refusal(`header ${HEADERS[wrongClaim(error)]} is missing or malformed`);
    return principalOf(data);
  };
}

function refusal(reason: string): DomainError {
  return new DomainError("UNAUTHENTICATED", `Cannot tell who asks: ${reason}`);
}
