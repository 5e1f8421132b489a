/** Everybody who may come to a route, one after the other. */
import { type Principal, type RoleName, ROLES } from "../../domain/principal.ts";
import type { TestRest } from "./server.ts";

/** The callers of the roles' table; OTHER_STORE has every role, elsewhere. */
export type Caller = RoleName | "NOBODY" | "SHOPPER" | "NO_ROLE" | "SYSTEM" | "OTHER_STORE";

/** What a call answers each of them. */
export async function statusesFor(
  rest: TestRest,
  customerId: string,
  call: (as: { as?: Principal }) => Promise<{ status: number }>,
): Promise<Record<Caller, number>> {
  const { storeId, system } = rest.world;
  const shopper: Principal = { id: customerId, type: "CUSTOMER", storeId, roles: [] };
  const status = async (as?: Principal) => (await call(as ? { as } : {})).status;
  const byRole: Partial<Record<RoleName, number>> = {};
  for (const role of ROLES) byRole[role] = await status(rest.staff([role]));
  return {
    ...byRole as Record<RoleName, number>,
    NOBODY: await status(),
    SHOPPER: await status(shopper),
    NO_ROLE: await status(rest.staff([])),
    SYSTEM: await status(system),
    OTHER_STORE: await status(rest.staff([...ROLES], crypto.randomUUID())),
  };
}

const OUTSIDERS = { NOBODY: 401, SHOPPER: 403, NO_ROLE: 403, OTHER_STORE: 404 };

/** Who reads customers and groups. */
export const READERS = (status = 200) => ({
  ...OUTSIDERS,
  CUSTOMER_SUPPORT: status,
  CUSTOMER_MANAGER: status,
  PRIVACY_OFFICER: 403,
  STORE_MANAGER: status,
  SYSTEM: status,
});

/** Who changes customers and groups. */
export const WRITERS = (status = 200) => ({ ...READERS(status), CUSTOMER_SUPPORT: 403 });

/** Who handles GDPR requests. */
export const OFFICERS = (status = 200) => ({
  ...OUTSIDERS,
  CUSTOMER_SUPPORT: 403,
  CUSTOMER_MANAGER: 403,
  PRIVACY_OFFICER: status,
  STORE_MANAGER: status,
  SYSTEM: status,
});
