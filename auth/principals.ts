/** Authenticates HTTP requests by bearer token or by the headers of the platform's gateway. */
import { timingSafeEqual } from "node:crypto";
import { DomainError } from "../domain/errors.ts";
import type { Principal } from "../domain/principal.ts";
import { PrincipalClaims, principalOf, wrongClaim } from "./claims.ts";
import type { ServiceClients } from "../config/mod.ts";
import { serviceOfClient } from "./service_clients.ts";
import type { TokenVerifier, VerifiedToken } from "./token.ts";
import { sha256 } from "../lib/hash.ts";

/**
 * @param address network address of the client: invalid tokens count against it
 * @throws {DomainError} UNAUTHENTICATED: credentials are missing or invalid. UNAVAILABLE: keys cannot be read.
 * RATE_LIMITED: the address has sent too many invalid tokens
 */
export type Authenticator = (headers: Headers, address?: string) => Promise<Principal>;

/**
 * Returns the sender's principal in each store in which they have roles, the default store first. Throws the same
 * errors as an Authenticator.
 */
export type StoresAuthenticator = (
  headers: Headers,
  address?: string,
) => Promise<readonly [Principal, ...Principal[]]>;

/** Accepts `Authorization: Bearer <token>` and nothing else. */
export function createTokenAuthenticator(verify: TokenVerifier, clients: ServiceClients = {}): Authenticator {
  return async (headers, address) => withService(await verify(bearerToken(headers), address), clients);
}

/** Accepts the same token for every store in which it grants roles. */
export function createStoresAuthenticator(
  verify: TokenVerifier,
  clients: ServiceClients = {},
): StoresAuthenticator {
  return async (headers, address) => {
    const verified = await verify(bearerToken(headers), address);
    return [withService(verified, clients), ...verified.elsewhere ?? []];
  };
}

/** The token's principal, with the name of the service that it was issued to. */
function withService({ principal, service: clientId }: VerifiedToken, clients: ServiceClients): Principal {
  if (clientId === undefined) return principal;
  return { ...principal, service: serviceOfClient(clientId, clients) };
}

function bearerToken(headers: Headers): string {
  const authorization = headers.get("authorization");
  if (authorization === null) throw refusal("header authorization is missing");
  // Two such headers arrive as one with a comma, which no token contains.
  const token = authorization.match(/^Bearer +([\w.~+/-]+=*)$/i)?.[1];
  if (!token) throw refusal("header authorization is not of the form Bearer <token>");
  return token;
}

const HEADERS: Record<keyof PrincipalClaims, string> = {
  sub: "x-user-id",
  store_id: "x-store-id",
  principal_type: "x-principal-type",
  roles: "x-roles",
  auth_time: "x-auth-time",
};

/** Header with the client ID of a service. The gateway removes it from the requests of its clients like the others. */
const CLIENT_HEADER = "x-client-id";
const CLIENT_ID = /^[\w.@-]{1,255}$/;

/** Header with the gateway's shared secret. */
const SECRET_HEADER = "x-gateway-secret";

/**
 * Accepts the headers of a gateway, which verifies its clients and removes these headers from their requests. Roles
 * are separated by commas without spaces and may be absent. A header that arrives twice reads "a, b" and is refused,
 * because one of the two may come from the client.
 *
 * @param secrets the gateway has to send one of them; empty in development, where it sends none
 */
export function createGatewayAuthenticator(
  secrets: readonly string[],
  clients: ServiceClients = {},
): Authenticator {
  const accepted = secrets.map((secret) => sha256(secret));
  // deno-lint-ignore require-await -- a refusal must be a rejection
  return async (headers) => {
    const actual = sha256(headers.get(SECRET_HEADER) ?? "");
    // Digests have one length, so the comparison takes constant time.
    const matches = accepted.filter((secret) => timingSafeEqual(secret, actual));
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
      auth_time: secondsOf(read("auth_time")),
    });
    if (error) throw refusal(`header ${HEADERS[wrongClaim(error)]} is missing or malformed`);
    const principal = principalOf(data);
    const clientId = headers.get(CLIENT_HEADER);
    if (principal.type !== "SYSTEM" || clientId === null) return principal;
    if (!CLIENT_ID.test(clientId)) throw refusal(`header ${CLIENT_HEADER} is malformed`);
    return { ...principal, service: serviceOfClient(clientId, clients) };
  };
}

/** Undefined for a header that is absent; NaN for any other text than a whole number. */
function secondsOf(header: string | undefined): number | undefined {
  return header === undefined ? undefined : /^\d{1,13}$/.test(header) ? Number(header) : NaN;
}

function refusal(reason: string): DomainError {
  return new DomainError("UNAUTHENTICATED", `Cannot authenticate the request: ${reason}`);
}
