/** Authorization and audit table: every operation of the OpenAPI document is called by every kind of caller. */
import assert from "node:assert/strict";
import { SERVICE_RIGHTS, type ServiceRight } from "../../domain/service_rights.ts";
import { ROLES } from "../../domain/principal.ts";
import { describeApi } from "../../rest/documents/openapi.ts";
import { createRoutes } from "../../rest/mod.ts";
import type { RestOptions } from "../../rest/options.ts";
import { register, SERVICE } from "../actors/world.ts";
import { EVERY_RIGHT } from "./access.ts";
import { type Caller, statusesFor } from "./callers.ts";
import { startRest, type TestRest } from "./server.ts";

const READ: readonly Caller[] = ["CUSTOMER_SUPPORT", "CUSTOMER_MANAGER", "STORE_MANAGER"];
const WRITE: readonly Caller[] = ["CUSTOMER_MANAGER", "STORE_MANAGER"];
const OFFICER: readonly Caller[] = ["PRIVACY_OFFICER", "STORE_MANAGER"];

/** Staff that each operation admits, and the right that it requires of services; without one it admits none. */
const TABLE: Record<string, [staff: readonly Caller[], right?: ServiceRight]> = {
  registerCustomer: [WRITE, "REGISTER_CUSTOMERS"],
  getCustomer: [READ, "READ_CUSTOMERS"],
  updateCustomer: [WRITE, "UPDATE_CUSTOMERS"],
  listCustomers: [READ, "SEARCH_CUSTOMERS"],
  searchCustomers: [READ, "SEARCH_CUSTOMERS"],
  exportCustomers: [WRITE, "EXPORT_CUSTOMERS"],
  upsertCustomers: [WRITE, "IMPORT_CUSTOMERS"],
  suspendCustomer: [WRITE, "CHANGE_STATUS"],
  reinstateCustomer: [WRITE, "CHANGE_STATUS"],
  closeCustomer: [WRITE, "CHANGE_STATUS"],
  listAddresses: [READ, "READ_ADDRESSES"],
  addAddress: [WRITE, "CHANGE_ADDRESSES"],
  getAddress: [READ, "READ_ADDRESSES"],
  updateAddress: [WRITE, "CHANGE_ADDRESSES"],
  deleteAddress: [WRITE, "CHANGE_ADDRESSES"],
  listCustomerGroups: [READ, "READ_MEMBERSHIPS"],
  assignGroup: [WRITE, "CHANGE_MEMBERSHIPS"],
  removeGroup: [WRITE, "CHANGE_MEMBERSHIPS"],
  getPriceList: [READ, "READ_MEMBERSHIPS"],
  listCustomerHolds: [OFFICER, "READ_HOLDS"],
  getHold: [OFFICER, "READ_HOLDS"],
  getRetention: [OFFICER, "READ_HOLDS"],
  placeHold: [OFFICER, "CHANGE_HOLDS"],
  liftHold: [OFFICER, "CHANGE_HOLDS"],
  listGroups: [READ, "READ_GROUPS"],
  createGroup: [WRITE, "CHANGE_GROUPS"],
  listGroupMembers: [READ, "READ_GROUPS"],
  getGroup: [READ, "READ_GROUPS"],
  updateGroup: [WRITE, "CHANGE_GROUPS"],
  deleteGroup: [WRITE, "CHANGE_GROUPS"],
  openGdprRequest: [OFFICER, "OPEN_GDPR_REQUESTS"],
  listGdprRequests: [OFFICER, "READ_GDPR_REQUESTS"],
  getGdprRequest: [OFFICER, "READ_GDPR_REQUESTS"],
  getGdprRequestTimeline: [OFFICER, "READ_GDPR_REQUESTS"],
  cancelGdprRequest: [OFFICER],
  releaseGdprRequest: [OFFICER],
  holdGdprRequest: [OFFICER],
  refuseGdprRequest: [OFFICER],
  extendGdprRequest: [OFFICER],
  verifyGdprRequestIdentity: [OFFICER],
  failGdprRequestIdentity: [OFFICER],
  requestGdprRequestInformation: [OFFICER],
  receiveGdprRequestInformation: [OFFICER],
  handOverGdprRequestDocuments: [OFFICER],
  retryGdprRequest: [OFFICER],
  waiveGdprRequest: [OFFICER],
  waiveGdprNotice: [OFFICER],
  confirmGdprRequest: [OFFICER],
  rejectGdprRequest: [OFFICER],
  withdrawGdprRequest: [OFFICER],
  getGdprRequestExport: [OFFICER],
  getGdprRequestReceipt: [OFFICER],
  getStoreSettings: [OFFICER, "READ_STORE_SETTINGS"],
  updateStoreSettings: [OFFICER, "CHANGE_STORE_SETTINGS"],
};

/** Operations that identity-service may call without any configuration; no other service may call any. */
const BY_DEFAULT = [
  ...["registerCustomer", "getCustomer", "updateCustomer"],
  ...["suspendCustomer", "reinstateCustomer", "closeCustomer"],
];

interface Operation {
  path: string;
  method: string;
  operationId: string;
  description: string;
  requestBody?: unknown;
}

const operations = Object.entries(describeApi(createRoutes({} as RestOptions)).paths ?? {}).flatMap((
  [path, methods],
) =>
  Object.entries(methods as Record<string, Omit<Operation, "path" | "method">>).map((
    [method, { operationId, description, requestBody }],
  ): Operation => ({ path, method, operationId, description, requestBody }))
);

Deno.test("each operation of the OpenAPI document is in the table, and names its callers", () => {
  assert.deepEqual(operations.map(({ operationId }) => operationId).sort(), Object.keys(TABLE).sort());
  for (const { operationId, description } of operations) {
    const [staff, right] = TABLE[operationId]!;
    const services = right ? `those of \`REST_CALLERS_${right}\`` : "none";
    assert.ok(description.includes(`Staff: ${staff.join(", ")}. Services: ${services}`), description);
  }
});

/** Calls an operation about a customer with IDs that exist nowhere else. */
function callOf({ path, method, requestBody }: Operation, rest: TestRest, customerId: string) {
  const filled = path.replaceAll("{customerId}", customerId).replaceAll(/\{\w+\}/g, crypto.randomUUID());
  const body = requestBody ? { body: {} } : {};
  return (as: Parameters<TestRest["call"]>[2]) => rest.call(method.toUpperCase(), filled, { ...as, ...body });
}

const isAdmitted = (status: number) => status !== 401 && status !== 403;

Deno.test("each operation admits exactly the callers in the table", async (t) => {
  await using rest = await startRest();
  const { id: customerId } = await register(rest.world);
  for (const operation of operations) {
    const { operationId, path } = operation;
    await t.step(operationId, async () => {
      const statuses = await statusesFor(rest, customerId, callOf(operation, rest, customerId));
      const admitted = Object.entries(statuses).filter(([, status]) => isAdmitted(status));
      const [staff, right] = TABLE[operationId]!;
      const expected = [...staff, ...right ? ["SYSTEM"] : [], "OTHER_STORE"];
      assert.deepEqual(admitted.map(([caller]) => caller).sort(), expected.sort());
      assert.equal(statuses.ANONYMOUS, 401);
      if (path.includes("{")) assert.ok(statuses.OTHER_STORE >= 400, `${operationId} answers another store`);
    });
  }
});

Deno.test("a service may call what its right allows and nothing else, whatever its roles", async (t) => {
  const serviceCallers = Object.fromEntries(
    Object.keys(EVERY_RIGHT).map((right) => [right, [`${right}-service`]]),
  ) as unknown as typeof EVERY_RIGHT;
  await using rest = await startRest({ serviceCallers });
  const { id: customerId } = await register(rest.world);
  const rights = Object.keys(SERVICE_RIGHTS) as ServiceRight[];
  const { system, storeId } = rest.world;
  for (const right of rights) {
    await t.step(right, async () => {
      const as = { ...system, roles: [...ROLES], service: `${right}-service` };
      const allowed: string[] = [];
      for (const operation of operations) {
        const { status } = await callOf(operation, rest, customerId)({ as });
        if (isAdmitted(status)) allowed.push(operation.operationId);
      }
      const expected = Object.entries(TABLE).filter(([, [, required]]) => required === right);
      assert.ok(expected.length > 0);
      assert.deepEqual(allowed.sort(), expected.map(([operationId]) => operationId).sort());
    });
  }
  await t.step("another store's service finds nothing of this store", async () => {
    const as = { ...system, storeId: crypto.randomUUID(), service: "READ_CUSTOMERS-service" };
    assert.equal((await rest.call("GET", `/customers/${customerId}`, { as })).status, 404);
    assert.notEqual(as.storeId, storeId);
  });
});

Deno.test("by default identity-service registers, reads, updates and closes customers, and no other service does anything", async () => {
  await using rest = await startRest({ serviceCallers: SERVICE_RIGHTS });
  const { id: customerId } = await register(rest.world);
  const services = ["identity-service", "cart-service", "order-service", SERVICE, undefined];
  for (const service of services) {
    const allowed: string[] = [];
    for (const operation of operations) {
      const as = { ...rest.world.system, service };
      const reply = await callOf(operation, rest, customerId)({ as });
      if (isAdmitted(reply.status)) allowed.push(operation.operationId);
      else if (service === undefined && TABLE[operation.operationId]![1]) {
        assert.match(reply.body.message, /the token does not name its service in client_id$/);
      }
    }
    const expected = service === "identity-service" ? BY_DEFAULT : [];
    assert.deepEqual(allowed.sort(), [...expected].sort(), `${service}`);
  }
});

Deno.test("a service that opens requests corrects a profile only if it may also update customers", async () => {
  const right = { ...EVERY_RIGHT, UPDATE_CUSTOMERS: ["identity-service"] };
  await using rest = await startRest({ serviceCallers: right });
  const { id: customerId } = await register(rest.world);
  const body = { customerId, type: "RECTIFICATION", corrections: { email: "attacker@example.com" } };
  const refused = await rest.call("POST", "/gdpr-requests", { as: rest.world.system, body });
  assert.deepEqual([refused.status, refused.body.code], [403, "FORBIDDEN"]);
  const { status } = await rest.call("POST", "/gdpr-requests", {
    as: rest.world.system,
    body: { customerId, type: "ACCESS" },
  });
  assert.equal(status, 201);
});

Deno.test("a service changes the status with PATCH only if it may also change the status by its own operations", async () => {
  await using rest = await startRest({ serviceCallers: { ...EVERY_RIGHT, CHANGE_STATUS: [] } });
  const { id } = await register(rest.world);
  const patch = (body: object) => rest.call("PATCH", `/customers/${id}`, { as: rest.world.system, body });
  const refused = await patch({ status: "SUSPENDED", firstName: "Mina" });
  assert.deepEqual([refused.status, refused.body.code], [403, "FORBIDDEN"]);
  const renamed = await patch({ firstName: "Wilhelmina" });
  assert.deepEqual([renamed.status, renamed.body.status, renamed.body.version], [200, "ACTIVE", 2]);
});
