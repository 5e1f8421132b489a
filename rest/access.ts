/**
 * Authorization and audit of the operations: the roles of staff that may call each, the right that a service needs, and
 * the access that an answer with data of customers is recorded as.
 */
import type { MiddlewareHandler } from "@hono/hono";
import { createMiddleware } from "@hono/hono/factory";
import type { AccessAction } from "../actors/audit_log.ts";
import type { RefusalLog } from "../actors/refusal_log.ts";
import { hasCode } from "../domain/errors.ts";
import { authorizeService, authorizeStaff } from "../domain/authorization.ts";
import { uuid } from "../domain/input.ts";
import type { RoleName } from "../domain/principal.ts";
import { SERVICE_RIGHTS, type ServiceRight } from "../domain/service_rights.ts";
import { STAFF_ROLES } from "../domain/staff_rights.ts";
import type { AccessControl, Answered } from "./access_context.ts";
import type { ApiContext, ApiEnv } from "./api.ts";

interface Rule {
  /** For the error message: "read customers". */
  description: string;
  /** Right of staff and of services. Absent: the right to decide about requests, which services never have. */
  right?: ServiceRight;
  /** Absent: the answer has no data of customers, or the handler records the access. */
  access?: AccessAction | undefined;
}

const readCustomer = {
  description: "read customers",
  right: "READ_CUSTOMERS",
  access: "CUSTOMER_READ",
} as const;
const searchCustomers = {
  description: "search customers",
  right: "SEARCH_CUSTOMERS",
  access: "CUSTOMERS_LISTED",
} as const;
const changeStatus = (description: string) =>
  ({ description, right: "CHANGE_STATUS", access: "CUSTOMER_READ" }) as const;
const readAddress = {
  description: "read addresses",
  right: "READ_ADDRESSES",
  access: "CUSTOMER_READ",
} as const;
const changeAddress = {
  description: "change addresses",
  right: "CHANGE_ADDRESSES",
  access: "CUSTOMER_READ",
} as const;
const readMembership = {
  description: "read memberships",
  right: "READ_MEMBERSHIPS",
  access: "CUSTOMER_READ",
} as const;
const changeMembership = {
  description: "change memberships",
  right: "CHANGE_MEMBERSHIPS",
  access: "CUSTOMER_READ",
} as const;
const readHold = {
  description: "read legal holds",
  right: "READ_HOLDS",
  access: "CUSTOMER_READ",
} as const;
const changeHold = { right: "CHANGE_HOLDS", access: "CUSTOMER_READ" } as const;
const readGroup = { description: "read groups", right: "READ_GROUPS" } as const;
const changeGroup = { description: "change groups", right: "CHANGE_GROUPS" } as const;
const readRequest = {
  description: "read GDPR requests",
  right: "READ_GDPR_REQUESTS",
  access: "GDPR_REQUEST_READ",
} as const;
/** A decision about a request, or its result. Services never get either. */
const ofOfficers = (description: string) => ({ description, access: "GDPR_REQUEST_READ" }) as const;

/** Rules by operationId. */
export const RULES = {
  registerCustomer: {
    description: "register customers",
    right: "REGISTER_CUSTOMERS",
    access: "CUSTOMER_READ",
  },
  getCustomer: readCustomer,
  updateCustomer: {
    description: "change customers",
    right: "UPDATE_CUSTOMERS",
    access: "CUSTOMER_READ",
  },
  listCustomers: searchCustomers,
  searchCustomers,
  exportCustomers: { description: "export customers", right: "EXPORT_CUSTOMERS" },
  upsertCustomers: {
    description: "register and update customers",
    right: "IMPORT_CUSTOMERS",
  },
  suspendCustomer: changeStatus("suspend customers"),
  reinstateCustomer: changeStatus("reinstate customers"),
  closeCustomer: changeStatus("close customers"),
  listAddresses: readAddress,
  getAddress: readAddress,
  addAddress: changeAddress,
  updateAddress: changeAddress,
  deleteAddress: { ...changeAddress, access: undefined },
  listCustomerGroups: readMembership,
  getPriceList: readMembership,
  assignGroup: changeMembership,
  removeGroup: { ...changeMembership, access: undefined },
  listCustomerHolds: readHold,
  getHold: readHold,
  getRetention: { ...readHold, description: "read the retention of customers" },
  placeHold: { ...changeHold, description: "place legal holds" },
  liftHold: { ...changeHold, description: "lift legal holds" },
  listGroups: readGroup,
  getGroup: readGroup,
  listGroupMembers: { ...readGroup, access: "CUSTOMERS_LISTED" },
  createGroup: changeGroup,
  updateGroup: changeGroup,
  deleteGroup: changeGroup,
  openGdprRequest: {
    description: "open GDPR requests",
    right: "OPEN_GDPR_REQUESTS",
    access: "GDPR_REQUEST_READ",
  },
  listGdprRequests: { ...readRequest, access: "GDPR_REQUESTS_LISTED" },
  getGdprRequest: readRequest,
  getGdprRequestTimeline: readRequest,
  cancelGdprRequest: ofOfficers("cancel GDPR requests"),
  releaseGdprRequest: ofOfficers("release GDPR requests"),
  holdGdprRequest: ofOfficers("hold GDPR requests"),
  refuseGdprRequest: ofOfficers("refuse GDPR requests"),
  extendGdprRequest: ofOfficers("extend GDPR requests"),
  verifyGdprRequestIdentity: ofOfficers("verify identities for GDPR requests"),
  failGdprRequestIdentity: ofOfficers("record checks of identities for GDPR requests"),
  requestGdprRequestInformation: ofOfficers("request information for GDPR requests"),
  receiveGdprRequestInformation: ofOfficers("record information for GDPR requests"),
  handOverGdprRequestDocuments: ofOfficers("record handovers of documents"),
  retryGdprRequest: ofOfficers("retry GDPR requests"),
  waiveGdprRequest: ofOfficers("waive GDPR requests"),
  waiveGdprNotice: ofOfficers("waive notices of GDPR requests"),
  confirmGdprRequest: ofOfficers("confirm proposals of GDPR requests"),
  rejectGdprRequest: ofOfficers("reject proposals of GDPR requests"),
  withdrawGdprRequest: ofOfficers("withdraw proposals of GDPR requests"),
  getGdprRequestExport: ofOfficers("read exports of GDPR requests"),
  getGdprRequestReceipt: ofOfficers("read receipts of GDPR requests"),
  getStoreSettings: { description: "read store settings", right: "READ_STORE_SETTINGS" },
  updateStoreSettings: {
    description: "change store settings",
    right: "CHANGE_STORE_SETTINGS",
  },
} satisfies Record<string, Rule>;

export type Operation = keyof typeof RULES;

export function ruleOf(operation: Operation): Rule {
  return RULES[operation];
}

/** Roles of staff that may call an operation, in addition to STORE_MANAGER. */
export function rolesOf(operation: Operation): readonly RoleName[] {
  return STAFF_ROLES[ruleOf(operation).right ?? "DECIDE_GDPR_REQUESTS"];
}

/** Contents of a page of customers, or of anything that names a customer. */
export function answeredOf(items: readonly { customerId: string }[]): Answered {
  return { rows: items.length, customerIds: items.map(({ customerId }) => customerId) };
}

/** Middleware before all routes that gives them what `allow` needs. */
export function withAccess(access: AccessControl): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    c.set("access", access);
    await next();
  });
}

/**
 * Middleware that admits the callers of an operation before the body is read, and records the access before the answer
 * is sent. An access that cannot be recorded is UNAVAILABLE.
 */
export function allow(operation: Operation): MiddlewareHandler<ApiEnv> {
  const rule = ruleOf(operation);
  return createMiddleware<ApiEnv>(async (c, next) => {
    c.set("operation", operation);
    authorizeOperation(operation, c);
    await (c.var.receive ? c.var.receive(c, next) : next());
    if (!rule.access || !c.res.ok || c.var.answered?.audited) return;
    try {
      await recordAccess(c, rule.access);
    } catch (error) {
      c.res = undefined; // its headers would be added to those of the error
      throw error;
    }
  });
}

/** @throws {DomainError} FORBIDDEN */
export function authorizeOperation(operation: Operation, { var: { by, access } }: ApiContext): void {
  const { description, right } = ruleOf(operation);
  if (by.type === "SYSTEM" && right) authorizeService(description, access.serviceCallers[right], by);
  else authorizeStaff(description, rolesOf(operation), by);
}

/**
 * Records an access by the answer's contents.
 *
 * @throws {DomainError} UNAVAILABLE
 */
export async function recordAccess(c: ApiContext, action: AccessAction): Promise<void> {
  const { by, operation = "", traceparent, access, answered = {} } = c.var;
  await access.audit.record({
    by,
    action,
    operation,
    traceparent,
    target: targetOf(c),
    customerId: c.req.param("customerId")?.toLowerCase() ?? answered.customerId,
    customerIds: answered.customerIds ?? [],
    rows: action === "CUSTOMERS_IMPORTED" ? undefined : answered.rows ?? 1,
  });
}

/** Records the refusal of an authenticated caller. Other errors are ignored. */
export async function reportRefusal(c: ApiContext, refusals: RefusalLog, error: unknown): Promise<void> {
  const { by, operation = "", traceparent } = c.var as Partial<ApiContext["var"]>;
  if (!by || traceparent === undefined || !hasCode(error, "FORBIDDEN")) return;
  await refusals.report({ by, operation, traceparent, target: targetOf(c) });
}

/** The entity that the path names. Only a UUID is taken: a caller may write anything there. */
function targetOf(c: ApiContext) {
  const { requestId, customerId, groupId } = c.req.param() as Record<string, string | undefined>;
  const { answered = {} } = c.var;
  const targets = [
    ["gdpr_request", requestId ?? answered.requestId],
    ["customer", customerId ?? answered.customerId],
    ["shopper_group", groupId],
  ] as const;
  for (const [type, text] of targets) {
    const id = uuid.safeParse(text).data;
    if (id !== undefined) return { type, id };
  }
}

/** Sentence about the callers of an operation, for its description. */
export function describeCallers(operation: Operation): string {
  const { right } = ruleOf(operation);
  const staff = `Staff: ${[...rolesOf(operation), "STORE_MANAGER"].join(", ")}.`;
  if (!right) return `${staff} Services: none.`;
  const services: readonly string[] = SERVICE_RIGHTS[right];
  const byDefault = services.length > 0 ? services.join(", ") : "none";
  return `${staff} Services: those of \`REST_CALLERS_${right}\`, by default ${byDefault}.`;
}
