/** What a principal's claims have to look like, whether a token or the platform's gateway makes them. */
import { v5 } from "uuid";
import { z } from "zod";
import { type Principal, type RoleName, ROLES } from "../actors/principal.ts";

const uuid = z.guid().toLowerCase();
const roleName = z.string().regex(/^[A-Z][A-Z0-9_]*$/);
/** `ROLE@storeUuid`. */
const grant = z.templateLiteral([roleName, "@", z.guid()]);
type Grant = z.output<typeof grant>;

/** As the gateway says them: everything is ours, so anything malformed is refused. */
export const PrincipalClaims = z.object({
  /** For a customer, the customer_id. */
  sub: uuid,
  store_id: uuid,
  principal_type: z.enum(["CUSTOMER", "STAFF", "SYSTEM"]),
  /** The roles of every store that the principal works for. */
  roles: z.array(grant).default([]),
});
export type PrincipalClaims = z.output<typeof PrincipalClaims>;

/** As an issuer of tokens says them: it has roles of other services too, which are left out. */
export const TokenClaims = PrincipalClaims.extend({
  iss: z.string(),
  /** A service's may be its client ID: RFC 9068 section 2.2. */
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

/** UUID namespace of services that issuers know by client IDs. It is stored with what they do: it never changes. */
const CLIENTS = "5a5d2f0e-7c0b-4a53-9c1f-6f6a3c0d7e41";

/** The same UUID for the same service, always and in every replica; line breaks are in neither part of its name. */
function principalIdOf(issuer: string, clientId: string): string {
  return v5(`${issuer}\n${clientId}`, CLIENTS);
}

function isGrant(role: unknown): role is Grant {
  return grant.safeParse(role).success;
}

/** Roles that hold in another store are left out, and so are roles that this service does not know. */
export function principalOf(claims: PrincipalClaims): Principal {
  const { sub: id, store_id: storeId, principal_type: type } = claims;
  const grants = type === "CUSTOMER" ? undefined : groupByStore(claims.roles).get(storeId);
  return { id, type, storeId, roles: knownRoles(grants ?? []) };
}

/** The other stores in which a member of staff has roles, in the order of the claims; nobody else has any. */
export function principalsElsewhere(claims: PrincipalClaims): Principal[] {
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

/** The first claim that is not as it has to be, for a message: a name of ours, never a value. */
export function wrongClaim<Claims>(error: z.ZodError<Claims>): keyof Claims & string {
  return error.issues[0]?.path[0] as keyof Claims & string;
}
