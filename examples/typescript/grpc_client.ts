/** Typed client of a gRPC service: messages by protobuf-es, transport by grpc-js. */
import {
  create,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";

/** The methods of a service as async functions; each rejects with a `ServiceError`, whose `code` is the status. */
export type Calls<S extends DescService> = {
  [K in keyof S["method"]]: S["method"][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options: CallOptions) => Promise<MessageShape<O>>
    : never;
};

export interface CallOptions {
  /** Time for the call, retries included, in milliseconds. */
  timeoutMs: number;
}

/** What grpc-js does by itself: send calls to all addresses in turn, and retry those that no replica could answer. */
const SERVICE_CONFIG = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [{
    name: [{}],
    retryPolicy: {
      maxAttempts: 4,
      initialBackoff: "0.1s",
      maxBackoff: "1s",
      backoffMultiplier: 2,
      retryableStatusCodes: ["UNAVAILABLE"],
    },
  }],
};

/**
 * Connects when the first call is made. Create one client per process and keep it.
 *
 * @param target "dns:///customer-service-grpc:50051": all addresses of the name
 * @param token returns the service's current access token, for GRPC_AUTH=token
 */
export function createClient<S extends DescService>(
  service: S,
  target: string,
  token: () => Promise<string>,
): { calls: Calls<S>; close(): void } {
  // Plain text, as behind a service mesh; with GRPC_AUTH=mtls: credentials.createSsl(ca, key, certificate).
  const client = new Client(target, credentials.createInsecure(), {
    "grpc.service_config": JSON.stringify(SERVICE_CONFIG),
  });
  const calls = Object.fromEntries(
    service.methods.map((method) => [
      method.localName,
      async (request: MessageInitShape<typeof method.input>, { timeoutMs }: CallOptions) => {
        const metadata = new Metadata();
        metadata.set("authorization", `Bearer ${await token()}`);
        return await new Promise((resolve, reject) =>
          client.makeUnaryRequest(
            `/${service.typeName}/${method.name}`,
            (message: MessageShape<typeof method.input>) => Buffer.from(toBinary(method.input, message)),
            (bytes: Buffer) => fromBinary(method.output, bytes),
            create(method.input, request),
            metadata,
            { deadline: Date.now() + timeoutMs },
            (error, response) => error ? reject(error) : resolve(response),
          )
        );
      },
    ]),
  );
  return { calls: calls as Calls<S>, close: () => client.close() };
}
