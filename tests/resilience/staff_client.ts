/** Client of a store's staff: registers customers and asks for readiness. */
import { gatewayHeaders } from "../production.ts";

export interface StaffClient {
  /** Status and code of a registration: "201", "503 UNAVAILABLE". */
  register(): Promise<string>;
  /** Status of `/readyz`. */
  readyz(): Promise<number>;
}

export function clientOf(http: number): StaffClient {
  const storeId = crypto.randomUUID();
  const headers = {
    ...gatewayHeaders({ id: crypto.randomUUID(), storeId }),
    "x-principal-type": "STAFF",
    "x-roles": `CUSTOMER_MANAGER@${storeId}`,
    "content-type": "application/json",
  };
  return {
    async register() {
      const body = JSON.stringify({ email: `${crypto.randomUUID()}@example.com` });
      const response = await fetch(`http://127.0.0.1:${http}/customers`, { method: "POST", headers, body });
      const { code } = await response.json();
      return code === undefined ? String(response.status) : `${response.status} ${code}`;
    },
    async readyz() {
      const response = await fetch(`http://127.0.0.1:${http}/readyz`);
      await response.body?.cancel();
      return response.status;
    },
  };
}
