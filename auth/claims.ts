/** Schemas of a principal's claims, in tokens and in the gateway's headers. */
import { v5 } from "uuid";
import { z } from "zod";
import { type Principal, type RoleName, ROLES } from "../domain/principal.ts";

const uuid = z.guid().toLowerCase();
const roleName = z.string().regex(/^[A-Z][A-Z0-9_]*$/);
/** `ROLE@storeUuid`. */
const grant = z.templateLiteral([roleName, "@", z.guid()]);
type Grant = z.output<typeof grant>;

/** Latest time of a date. */
const MAX_SECONDS = 8.64e12;

/** Claims in the gateway's headers. It sends ours only, so anything malformed is refused. */
export const PrincipalClaims = z.object({
  /** For a customer, the customer_id. */
  sub: uuid,
  store_id: uuid,
  principal_type: z.enum(["CUSTOMER", "STAFF", "SYSTEM"]),
  /** Roles in all stores that the principal works for. */
  roles: z.array(grant).default([]),
  /** Time of the last sign-in with credentials, in seconds since the epoch: OpenID Connect Core, section 2. */
  auth_time: z.number().int().min(0).max(MAX_SECONDS).optional(),
});
export type PrincipalClaims = z.output<typeof PrincipalClaims>;

/** Claims of a token. Its issuer also grants roles of other services, which are dropped. */
export const TokenClaims = PrincipalClaims.extend({
  iss: z.string(),
  /** May be the client ID of a service: RFC 9068 section 2.2. */
  sub: z.string().min(1).max(255),
  roles: z.array(z.unknown()).nullish().transform((roles) => (roles ?? []).filter(isGrant)),
  /** The client that the token was issued to: RFC 9068. */
  client_id: z.string().min(1).max(255).optional(),
}).transform(({ iss, ...claims }, context) => {
  const { data: sub } = uuid.safeParse(claims.sub);
  if (sub !== undefined) return { ...claims, sub };
  if (claims.principal_type === "SYSTEM") return { ...claims, sub: principalIdOf(iss, claims.sub) };
  context.issues.push({ code: "custom", path: ["sub"], input: claims.sub, message: "expected a UUID" });
  return z.NEVER;
});
export type TokenClaims = z.output<typeof TokenClaims>;

/** UUID namespace of services that are identified by client IDs. Never change it: the resulting IDs are stored. */
const CLIENTS = "5a5d2f0e-7c0b-4a53-9c1f-6f6a3c0d7e41";

/** A stable UUID (version 5) for a service. Neither part of its name contains a line break. */
function principalIdOf(issuer: string, clientId: string): string {
  return v5(`${issuer}\n${clientId}`, CLIENTS);
}

function isGrant(role: unknown): role is Grant {
  return grant.safeParse(role).success;
}

/** The principal in its own store, without roles in other stores and without unknown roles. */
export function principalOf(claims: PrincipalClaims): Principal {
  const { sub: id, store_id: storeId, principal_type: type, auth_time: authTime } = claims;
  const grants = type === "CUSTOMER" ? undefined : groupByStore(claims.roles).get(storeId);
  return {
    id,
    type,
    storeId,
    roles: knownRoles(grants ?? []),
    ...(type === "CUSTOMER" && authTime !== undefined && { authenticatedAt: new Date(authTime * 1_000) }),
  };
}

/** A staff member's principals in other stores, in the order of the claims. Empty for other principal types. */
export function principalsInOtherStores(claims: PrincipalClaims): Principal[] {
  const { sub: id, store_id: own, principal_type: type } = claims;
  if (type !== "STAFF") return [];
  const stores = groupByStore(claims.roles);
  stores.delete(own);
  return [...stores]
    .map(([storeId, grants]) => ({ id, type, storeId, roles: knownRoles(grants) }))
    .filter(({ roles }) => roles.length > 0);
}

interface StoreRole {
  role: string;
  /** UUID in lower case. */
  storeId: string;
}

function groupByStore(grants: readonly string[]): Map<string, StoreRole[]> {
  const split = grants.map((grant): StoreRole => {
    const [role = "", store = ""] = grant.split("@");
    return { role, storeId: store.toLowerCase() };
  });
  return Map.groupBy(split, ({ storeId }) => storeId);
}

function knownRoles(grants: readonly StoreRole[]): RoleName[] {
  const names = new Set(grants.map(({ role }) => role));
  return ROLES.filter((role) => names.has(role));
}

/** Name of the first invalid claim, for an error message. Never a value. */
export function wrongClaim<Claims>(error: z.ZodError<Claims>): keyof Claims & string {
  return error.issues[0]?.path[0] as keyof Claims & string;
}
