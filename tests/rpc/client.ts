/** A caller as other services write theirs: grpc-js with the .proto files, none of our generated code. */
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { protoPath as healthProto } from "grpc-health-check";
import { Buffer } from "node:buffer";

const PROTO = new URL("../../proto/", import.meta.url).pathname;
const FORM = {
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
  includeDirs: [PROTO],
};

const contracts = grpc.loadPackageDefinition({
  ...loadSync("io/shopstar/customer/v1/customer_service.proto", FORM),
  ...loadSync(healthProto, FORM),
});

// deno-lint-ignore no-explicit-any -- what proto-loader makes of a contract has no static type
export type Loose = any;

/** What a call came to. */
export interface Outcome {
  /** The status as its name, "OK". */
  status: string;
  details: string;
  response: Loose;
}

export interface Client extends Disposable {
  call(method: string, request: unknown, options?: CallOptions): Promise<Outcome>;
  groups(request: unknown, options?: CallOptions): Promise<Outcome>;
  snapshot(request: unknown, options?: CallOptions): Promise<Outcome>;
  /** The health service's answer: SERVING, NOT_SERVING, or the status of a refusal. */
  health(service?: string): Promise<string>;
}

export interface CallOptions {
  metadata?: Record<string, string>;
  /** How long to wait, in milliseconds. */
  withinMs?: number;
  signal?: AbortSignal;
}

/** The ids of a request as the contract spells them. */
export function asked({ storeId, customerId }: { storeId: string; customerId: string }) {
  return { store_id: storeId, customer_id: customerId };
}

export function connect(port: number, credentials = grpc.credentials.createInsecure()): Client {
  const address = `localhost:${port}`;
  const customers = new (contracts as Loose).io.shopstar.customer.v1.CustomerService(address, credentials);
  const health = new (contracts as Loose).grpc.health.v1.Health(address, credentials);
  const call: Client["call"] = (method, request, options) => perform(customers, method, request, options);
  return {
    call,
    groups: (request, options) => call("GetCustomerGroups", request, options),
    snapshot: (request, options) => call("GetCustomerSnapshot", request, options),
    async health(service = "") {
      const { status, response } = await perform(health, "Check", { service });
      return status === "OK" ? response.status : status;
    },
    [Symbol.dispose]() {
      customers.close();
      health.close();
    },
  };
}

/** Sends bytes that no honest client would, to a method by its name. */
export async function callRaw(port: number, method: string, bytes: Uint8Array): Promise<Outcome> {
  const client = new grpc.Client(`localhost:${port}`, grpc.credentials.createInsecure());
  try {
    return await new Promise((resolve) =>
      client.makeUnaryRequest(
        `/io.shopstar.customer.v1.CustomerService/${method}`,
        (value: Buffer) => value,
        (value) => value,
        Buffer.from(bytes),
        { deadline: Date.now() + 5_000 },
        (error, response) => resolve(outcome(error, response)),
      )
    );
  } finally {
    client.close();
  }
}

function perform(
  client: Loose,
  method: string,
  request: unknown,
  options: CallOptions = {},
): Promise<Outcome> {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(options.metadata ?? {})) metadata.set(name, value);
  const deadline = Date.now() + (options.withinMs ?? 10_000);
  return new Promise((resolve) => {
    const call = client[method](
      request,
      metadata,
      { deadline },
      (error: grpc.ServiceError | null, response: Loose) => resolve(outcome(error, response)),
    );
    options.signal?.addEventListener("abort", () => call.cancel(), { once: true });
  });
}

function outcome(error: grpc.ServiceError | null, response: Loose): Outcome {
  return { status: grpc.status[error?.code ?? 0] ?? "?", details: error?.details ?? "", response };
}
