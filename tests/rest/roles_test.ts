/** Authorization table: every operation is called by every kind of caller. */
import assert from "node:assert/strict";
import { describeApi } from "../../rest/documents/openapi.ts";
import { createRoutes } from "../../rest/mod.ts";
import type { RestOptions } from "../../rest/options.ts";
import { register } from "../actors/world.ts";
import { type Caller, statusesFor } from "./callers.ts";
import { startRest } from "./server.ts";

const READ: readonly Caller[] = ["CUSTOMER_SUPPORT", "CUSTOMER_MANAGER", "STORE_MANAGER", "SYSTEM"];
const WRITE: readonly Caller[] = ["CUSTOMER_MANAGER", "STORE_MANAGER", "SYSTEM"];
const OFFICER: readonly Caller[] = ["PRIVACY_OFFICER", "STORE_MANAGER", "SYSTEM"];

/** Callers that each operation admits. OTHER_STORE is always admitted, to its own store only. */
const TABLE: Record<string, readonly Caller[]> = {
  registerCustomer: WRITE,
  getCustomer: READ,
  updateCustomer: WRITE,
  listCustomers: READ,
  searchCustomers: READ,
  exportCustomers: WRITE,
  upsertCustomers: WRITE,
  suspendCustomer: WRITE,
  reinstateCustomer: WRITE,
  closeCustomer: WRITE,
  listAddresses: READ,
  addAddress: WRITE,
  getAddress: READ,
  updateAddress: WRITE,
  deleteAddress: WRITE,
  listCustomerGroups: READ,
  assignGroup: WRITE,
  removeGroup: WRITE,
  getPriceList: READ,
  listGroups: READ,
  createGroup: WRITE,
  listGroupMembers: READ,
  getGroup: READ,
  updateGroup: WRITE,
  deleteGroup: WRITE,
  openGdprRequest: OFFICER,
  listGdprRequests: OFFICER,
  getGdprRequest: OFFICER,
  getGdprRequestTimeline: OFFICER,
  cancelGdprRequest: OFFICER,
  releaseGdprRequest: OFFICER,
  holdGdprRequest: OFFICER,
  refuseGdprRequest: OFFICER,
  extendGdprRequest: OFFICER,
  retryGdprRequest: OFFICER,
  waiveGdprRequest: OFFICER,
  getGdprRequestExport: OFFICER,
  getGdprRequestReceipt: OFFICER,
};

Deno.test("each operation admits exactly the callers in the table", async (t) => {
  await using rest = await startRest();
  const { id: customerId } = await register(rest.world);
  const paths = Object.entries(describeApi(createRoutes({} as RestOptions)).paths ?? {});
  const operations = paths.flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, { operationId: string; requestBody?: unknown }>).map(
      ([method, { operationId, requestBody }]) => ({ path, method, operationId, requestBody }),
    )
  );
  assert.deepEqual(operations.map(({ operationId }) => operationId).sort(), Object.keys(TABLE).sort());

  for (const { path, method, operationId, requestBody } of operations) {
    await t.step(operationId, async () => {
      const filled = path.replaceAll("{customerId}", customerId).replaceAll(/\{\w+\}/g, crypto.randomUUID());
      const body = requestBody ? { body: {} } : {};
      const statuses = await statusesFor(
        rest,
        customerId,
        (as) => rest.call(method.toUpperCase(), filled, { ...as, ...body }),
      );
      const admitted = Object.entries(statuses).filter(([, status]) => status !== 401 && status !== 403);
      const expected = [...TABLE[operationId] ?? [], "OTHER_STORE"];
      assert.deepEqual(admitted.map(([caller]) => caller).sort(), expected.sort());
      assert.equal(statuses.ANONYMOUS, 401);
      if (path.includes("{")) assert.ok(statuses.OTHER_STORE >= 400, `${operationId} answers another store`);
    });
  }
});
