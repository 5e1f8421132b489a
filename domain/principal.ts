/** Principal: an authenticated caller, whether by token, header or certificate. */
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
  /** When the customer last signed in with credentials; absent if the token does not state it. */
  authenticatedAt?: Date;
  /** Name of the service, for SYSTEM. Absent: the caller is not a known service, or is this service itself. */
  service?: string | undefined;
}

/** The service itself, when it runs timers and effects. */
export function systemPrincipal(storeId: string): Principal {
  return { id: "00000000-0000-4000-8000-000000000000", type: "SYSTEM", storeId, roles: [] };
}
