/** gRPC client that uses the .proto files and no generated code; tests/grpc has clients of other languages. */
import { loadSync, type MethodDefinition, type ServiceDefinition } from "@grpc/proto-loader";
import { Buffer } from "node:buffer";
import { Channel, type ChannelOptions, GrpcError } from "../../grpc/mod.ts";

const folder = (path: string) => new URL(`../../${path}/`, import.meta.url).pathname;
const FORM = {
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
  includeDirs: [folder("proto"), folder("grpc/proto")],
};

const contracts = {
  ...loadSync("io/shopstar/customer/v1/customer_service.proto", FORM),
  ...loadSync("grpc/health/v1/health.proto", FORM),
};
const CUSTOMERS = contracts["io.shopstar.customer.v1.CustomerService"] as ServiceDefinition;
const HEALTH = contracts["grpc.health.v1.Health"] as ServiceDefinition;

// deno-lint-ignore no-explicit-any -- what proto-loader makes of a contract has no static type
export type Loose = any;

/** Outcome of a call. */
export interface Outcome {
  /** Name of the status, "OK". */
  status: string;
  details: string;
  response: Loose;
  /** Of `google.rpc.ErrorInfo`, if there is one. */
  reason: string | undefined;
  domain: string | undefined;
  /** ID of the call's trace. */
  traceId?: string | undefined;
  /** Violations of `google.rpc.BadRequest`, "store_id must be a UUID". */
  fields: string[];
}

export interface Client extends Disposable {
  call(method: string, request: unknown, options?: CallOptions): Promise<Outcome>;
  groups(request: unknown, options?: CallOptions): Promise<Outcome>;
  snapshot(request: unknown, options?: CallOptions): Promise<Outcome>;
  /** Answer of the health service: SERVING, NOT_SERVING, or the status of a refusal. */
  health(service?: string): Promise<string>;
}

export interface CallOptions {
  /** A list where a name has several values. */
  metadata?: Record<string, string> | readonly (readonly [name: string, value: string])[];
  /** Timeout in milliseconds. */
  withinMs?: number;
  signal?: AbortSignal;
}

/** IDs of a request in the spelling of the contract. */
export function asked({ storeId, customerId }: { storeId: string; customerId: string }) {
  return { store_id: storeId, customer_id: customerId };
}

/** @param tls connects over TLS; PEM texts */
export function connect(port: number, tls?: ChannelOptions["tls"]): Client {
  const channel = new Channel(new URL(tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`), {
    tls,
  });
  const perform = async (
    { path, requestSerialize, responseDeserialize }: Method,
    request: unknown,
    options: CallOptions = {},
  ): Promise<Outcome> => {
    const { metadata: given = {} } = options;
    const metadata = (isList(given) ? given : Object.entries(given)).flat();
    const { withinMs: timeoutMs = 10_000, signal } = options;
    try {
      const bytes = await channel.unary(path, requestSerialize(request as object), {
        metadata,
        timeoutMs,
        ...(signal && { signal }),
      });
      return success(responseDeserialize(Buffer.from(bytes)));
    } catch (error) {
      return failure(error);
    }
  };
  const call: Client["call"] = (method, request, options) => perform(CUSTOMERS[method]!, request, options);
  return {
    call,
    groups: (request, options) => call("GetCustomerGroups", request, options),
    snapshot: (request, options) => call("GetCustomerSnapshot", request, options),
    async health(service = "") {
      const { status, response } = await perform(HEALTH.Check!, { service });
      return status === "OK" ? response.status : status;
    },
    [Symbol.dispose]: () => channel[Symbol.dispose](),
  };
}

type Method = MethodDefinition<object, object>;

function isList(value: object): value is readonly (readonly [string, string])[] {
  return Array.isArray(value);
}

/** Sends invalid bytes to a method by its name. */
export async function callRaw(port: number, method: string, bytes: Uint8Array): Promise<Outcome> {
  using channel = new Channel(new URL(`http://127.0.0.1:${port}`));
  try {
    const response = await channel.unary(`/io.shopstar.customer.v1.CustomerService/${method}`, bytes, {
      timeoutMs: 5_000,
    });
    return success(response);
  } catch (error) {
    return failure(error);
  }
}

function success(response: Loose): Outcome {
  return { status: "OK", details: "", response, reason: undefined, domain: undefined, fields: [] };
}

function failure(error: unknown): Outcome {
  if (!(error instanceof GrpcError)) throw error;
  const { status, message: details, info, fieldViolations } = error;
  return {
    status,
    details,
    response: undefined,
    reason: info?.reason,
    domain: info?.domain,
    traceId: info?.metadata?.trace_id,
    fields: fieldViolations.map(({ field, description }) => `${field} ${description}`),
  };
}
