/** Callers of every kind, for tests of authorization. */
import { type Principal, type RoleName, ROLES } from "../../domain/principal.ts";
import type { TestRest } from "./server.ts";

/** Kinds of callers. OTHER_STORE is staff with every role, in another store. */
export type Caller = RoleName | "ANONYMOUS" | "SHOPPER" | "NO_ROLE" | "SYSTEM" | "OTHER_STORE";

/** Makes a call as each caller, and returns the status of each response. */
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
    ANONYMOUS: await status(),
    SHOPPER: await status(shopper),
    NO_ROLE: await status(rest.staff([])),
    SYSTEM: await status(system),
    OTHER_STORE: await status(rest.staff([...ROLES], crypto.randomUUID())),
  };
}

const OUTSIDERS = { ANONYMOUS: 401, SHOPPER: 403, NO_ROLE: 403, OTHER_STORE: 404 };

/** Expected statuses of routes that read customers and groups. */
export const READERS = (status = 200) => ({
  ...OUTSIDERS,
  CUSTOMER_SUPPORT: status,
  CUSTOMER_MANAGER: status,
  PRIVACY_OFFICER: 403,
  STORE_MANAGER: status,
  SYSTEM: status,
});

/** Expected statuses of routes that change customers and groups. */
export const WRITERS = (status = 200) => ({ ...READERS(status), CUSTOMER_SUPPORT: 403 });

/** Expected statuses of routes for GDPR requests; services may open and read them, but decide nothing. */
export const OFFICERS = (status = 200, service = status) => ({
  ...OUTSIDERS,
  CUSTOMER_SUPPORT: 403,
  CUSTOMER_MANAGER: 403,
  PRIVACY_OFFICER: status,
  STORE_MANAGER: status,
  SYSTEM: service,
});
