/** How the demonstration services confirm an erasure: over gRPC, each under its own name. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { setTimeout as pauseFor } from "node:timers/promises";
import {
  type ConfirmErasureRequest,
  ConfirmErasureRequestSchema,
  ConfirmErasureResponseSchema,
  CustomerService,
} from "../../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";

export interface ConfirmOptions {
  /** host:port of customer-service's gRPC door, without TLS. */
  address: string;
  /** A token of a service for a store. */
  token(service: string, storeId: string): Promise<string>;
}

export type Confirmation = Pick<ConfirmErasureRequest, "requestId" | "storeId" | "service" | "evidence">;

export interface Confirmer extends Disposable {
  /** Tries again while customer-service is away. Gives the status that it has come to, "OK" if all is well. */
  confirm(
    confirmation: Confirmation,
    traceparent: string | undefined,
    signal: AbortSignal,
  ): Promise<string>;
}

const PATH = `/${CustomerService.typeName}/${CustomerService.method.confirmErasure.name}`;
const ATTEMPTS = 6;
const DEADLINE_MS = 5_000;
const AWAY = [grpc.status.UNAVAILABLE, grpc.status.DEADLINE_EXCEEDED];

export function createConfirmer({ address, token }: ConfirmOptions): Confirmer {
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), {
    "grpc.enable_http_proxy": 0,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
  });

  async function attempt(
    confirmation: Confirmation,
    traceparent: string | undefined,
    signal: AbortSignal,
  ): Promise<grpc.status> {
    const metadata = new grpc.Metadata();
    if (traceparent !== undefined) metadata.set("traceparent", traceparent);
    metadata.set("authorization", `Bearer ${await token(confirmation.service, confirmation.storeId)}`);
    return await new Promise((resolve) => {
      const call = client.makeUnaryRequest(
        PATH,
        (request) => Buffer.from(toBinary(ConfirmErasureRequestSchema, request)),
        (bytes) => fromBinary(ConfirmErasureResponseSchema, bytes),
        create(ConfirmErasureRequestSchema, confirmation),
        metadata,
        { deadline: Date.now() + DEADLINE_MS },
        (error) => {
          signal.removeEventListener("abort", cancel);
          resolve(error?.code ?? grpc.status.OK);
        },
      );
      const cancel = () => call.cancel();
      signal.addEventListener("abort", cancel);
    });
  }

  return {
    async confirm(confirmation, traceparent, signal) {
      for (let attempts = 1;; attempts++) {
        const status = await attempt(confirmation, traceparent, signal);
        const again = AWAY.includes(status) && attempts < ATTEMPTS && !signal.aborted;
        if (!again) return grpc.status[status];
        await pauseFor(100 * 2 ** attempts, undefined, { signal });
      }
    },
    [Symbol.dispose]: () => client.close(),
  };
}
