/** What a principal's claims have to look like, whether a token or the platform's gateway makes them. */
import { z } from "zod";
import { type Principal, type RoleName, ROLES } from "../actors/principal.ts";

const uuid = z.guid().toLowerCase();
const roleName = z.string().regex(/^[A-Z][A-Z0-9_]*$/);

export const PrincipalClaims = z.object({
  /** For a customer, the customer_id. */
  sub: uuid,
  store_id: uuid,
  principal_type: z.enum(["CUSTOMER", "STAFF", "SYSTEM"]),
  /** `ROLE@storeUuid`; the roles of every store that the principal works for. */
  roles: z.array(z.templateLiteral([roleName, "@", z.guid()])).default([]),
});
export type PrincipalClaims = z.output<typeof PrincipalClaims>;

export const TokenClaims = PrincipalClaims.extend({
  /** To which client the token was issued: RFC 9068. */
  client_id: z.string().min(1).max(255).optional(),
});

/** Roles that hold in another store are left out, and so are roles that this service does not know. */
export function principalOf(claims: PrincipalClaims): Principal {
  const { sub: id, store_id: storeId, principal_type: type } = claims;
  return { id, type, storeId, roles: type === "CUSTOMER" ? [] : rolesIn(storeId, claims.roles) };
}

/** The other stores in which a member of staff has roles, in the order of the claims; nobody else has any. */
export function principalsElsewhere(claims: PrincipalClaims): Principal[] {
  const { sub: id, store_id: own, principal_type: type } = claims;
  if (type !== "STAFF") return [];
  const stores = new Set(claims.roles.map((grant) => grant.slice(grant.indexOf("@") + 1).toLowerCase()));
  stores.delete(own);
  return [...stores]
    .map((storeId) => ({ id, type, storeId, roles: rolesIn(storeId, claims.roles) }))
    .filter(({ roles }) => roles.length > 0);
}

function rolesIn(storeId: string, grants: readonly string[]): RoleName[] {
  const here = new Set(
    grants.map((grant) => grant.split("@")).flatMap(([role, store]) =>
      store?.toLowerCase() === storeId ? [role] : []
    ),
  );
  return ROLES.filter((role) => here.has(role));
}

/** The first claim that is not as it has to be, for a message: a name of ours, never a value. */
export function wrongClaim<Claims>(error: z.ZodError<Claims>): keyof Claims & string {
  return error.issues[0]?.path[0] as keyof Claims & string;
}
