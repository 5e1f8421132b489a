/** Who asks: the one shape that tokens, headers and certificates are turned into. */
export type PrincipalType = "CUSTOMER" | "STAFF" | "SYSTEM";

export const ROLES = ["CUSTOMER_SUPPORT", "CUSTOMER_MANAGER", "PRIVACY_OFFICER", "STORE_MANAGER"] as const;
export type RoleName = (typeof ROLES)[number];

/** A caller within one store. For a customer, `id` is the customer_id. */
export interface Principal {
  id: string;
  type: PrincipalType;
  storeId: string;
  /** The roles that hold in `storeId`; always empty for a customer. */
  roles: readonly RoleName[];
}

/** The service itself, when it acts on what it has recorded (timers, effects). */
export function systemPrincipal(storeId: string): Principal {
  return { id: "00000000-0000-4000-8000-000000000000", type: "SYSTEM", storeId, roles: [] };
}
