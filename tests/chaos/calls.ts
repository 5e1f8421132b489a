/** Calls of clients to a replica over REST, GraphQL and gRPC, with answers in one vocabulary. */
import { gatewayHeaders, PLATFORM } from "../production.ts";
import { asked, type Client, connect } from "../rpc/client.ts";
import type { Values } from "./history.ts";

/** Longer than a replica waits for PostgreSQL. */
const TIMEOUT_MS = 12_000;

export interface Call {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: unknown;
}

export interface Answer {
  /** "ok", an error code, UNREACHED, CUT or TIMEOUT. */
  answer: string;
  // deno-lint-ignore no-explicit-any -- bodies of every shape
  body?: any;
  /** Number in the ETag. */
  version?: number;
}

/** Headers of a principal that the gateway has authenticated. */
export function headersOf(
  type: "STAFF" | "SYSTEM" | "CUSTOMER",
  { principal, storeId, trace }: { principal: string; storeId: string; trace: string },
): Record<string, string> {
  return {
    ...gatewayHeaders({ id: principal, storeId }),
    "x-principal-type": type,
    ...(type === "STAFF" && { "x-roles": `STORE_MANAGER@${storeId}` }),
    ...(type === "SYSTEM" && { "x-client-id": "identity-service" }),
    traceparent: `00-${trace}-00000000000000a1-00`,
  };
}

export async function callHttp(port: number, { method, path, headers, body }: Call): Promise<Answer> {
  let response: Response | undefined;
  try {
    response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    const json = text === "" ? undefined : JSON.parse(text);
    const version = Number(response.headers.get("etag")?.match(/"(\d+)"/)?.[1]) || undefined;
    const code = response.ok ? json?.errors?.[0]?.extensions?.code : json?.code ?? `HTTP_${response.status}`;
    return { answer: code ?? "ok", body: json, ...(version !== undefined && { version }) };
  } catch (error) {
    return { answer: failureOf(error, response !== undefined) };
  }
}

/** What an error of `fetch` says about the request. */
function failureOf(error: unknown, hasHeaders: boolean): string {
  if (error instanceof DOMException && error.name === "TimeoutError") return "TIMEOUT";
  if (error instanceof SyntaxError) return "MALFORMED";
  // Only a failed connect proves that nothing was sent.
  return !hasHeaders && /\(Connect\)|Connection refused/i.test(String(error)) ? "UNREACHED" : "CUT";
}

export type Lookup = "GetCustomerSnapshot" | "GetCustomerGroups";

const CALLERS: Record<Lookup, string> = {
  GetCustomerSnapshot: "checkout-service",
  GetCustomerGroups: "cart-service",
};

export interface LookupAnswer {
  answer: string;
  version?: number;
  values?: Values;
  groupIds?: string[];
}

/** gRPC clients of callers, one for each replica. */
export function createLookups(): Disposable & {
  look(
    port: number,
    method: Lookup,
    customer: { storeId: string; customerId: string },
  ): Promise<LookupAnswer>;
} {
  const clients = new Map<number, Client>();
  return {
    async look(port, method, customer) {
      const client = clients.get(port) ?? connect(port);
      clients.set(port, client);
      const uri = `spiffe://${PLATFORM.GRPC_TRUST_DOMAIN}/ns/${PLATFORM.GRPC_CALLER_NAMESPACES}/sa/${
        CALLERS[method]
      }`;
      const { status, response } = await client.call(method, asked(customer), {
        metadata: { "x-forwarded-client-cert": `URI=${uri}` },
        withinMs: TIMEOUT_MS,
      });
      if (status !== "OK") return { answer: status };
      const account = String(response.status).replace("CUSTOMER_STATUS_", "");
      if (method === "GetCustomerGroups") {
        const groupIds = response.memberships.map(({ group_id }: { group_id: string }) => group_id);
        return { answer: "ok", values: { status: account }, groupIds };
      }
      const { version, email, first_name: firstName, last_name: lastName } = response;
      return { answer: "ok", version, values: { status: account, email, firstName, lastName } };
    },
    [Symbol.dispose]() {
      for (const client of clients.values()) client[Symbol.dispose]();
    },
  };
}
