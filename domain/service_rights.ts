/** Rights of services over REST. The configuration names the services that have each of them. */

/** The services that have each right by default. Decisions about GDPR requests are for staff, so no right covers them. */
export const SERVICE_RIGHTS = {
  REGISTER_CUSTOMERS: ["identity-service"],
  READ_CUSTOMERS: ["identity-service"],
  UPDATE_CUSTOMERS: ["identity-service"],
  SEARCH_CUSTOMERS: [],
  EXPORT_CUSTOMERS: [],
  IMPORT_CUSTOMERS: [],
  CHANGE_STATUS: ["identity-service"],
  READ_ADDRESSES: [],
  CHANGE_ADDRESSES: [],
  READ_MEMBERSHIPS: [],
  CHANGE_MEMBERSHIPS: [],
  READ_HOLDS: [],
  CHANGE_HOLDS: [],
  READ_GROUPS: [],
  CHANGE_GROUPS: [],
  OPEN_GDPR_REQUESTS: [],
  READ_GDPR_REQUESTS: [],
  READ_STORE_SETTINGS: [],
  CHANGE_STORE_SETTINGS: [],
} as const satisfies Record<string, readonly string[]>;

export type ServiceRight = keyof typeof SERVICE_RIGHTS;

/** Names of the services that have each right. */
export type ServiceCallers = Readonly<Record<ServiceRight, readonly string[]>>;
