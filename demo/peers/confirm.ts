/** Confirms erasures to customer-service over gRPC, under the name of each demo service and with its signature. */
import { confirmationBytes, evidenceDigest } from "../../actors/gdpr/receipts/confirmation.ts";
import { Channel, GrpcError, pathOf, type StatusName, writeMessage } from "../../grpc/mod.ts";
import {
  type ConfirmErasureRequest,
  ConfirmErasureRequestSchema,
  CustomerService,
} from "../../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import type { CustomerErasureRequested } from "../../proto/gen/io/shopstar/customer/v1/events_pb.ts";
import { exponential } from "../../lib/backoff.ts";
import { pause } from "../../lib/timeout.ts";
import { signAs } from "./signing_keys.ts";

export interface ConfirmOptions {
  /** host:port of customer-service's gRPC server, without TLS. */
  address: string;
  /** Issues a token of a service for a store. */
  token(service: string, storeId: string): Promise<string>;
}

export type Confirmation =
  & Pick<ConfirmErasureRequest, "requestId" | "storeId" | "service" | "evidence">
  & Pick<CustomerErasureRequested, "customerId">;

export interface Confirmer extends Disposable {
  /** Retries while customer-service is unavailable. Returns the final status, "OK" on success. */
  confirm(
    confirmation: Confirmation,
    traceparent: string | undefined,
    signal: AbortSignal,
  ): Promise<string>;
}

const PATH = pathOf(CustomerService.method.confirmErasure);
const ATTEMPTS = 6;
const DEADLINE_MS = 5_000;
const RETRYABLE: readonly StatusName[] = ["UNAVAILABLE", "DEADLINE_EXCEEDED"];

export function createConfirmer({ address, token }: ConfirmOptions): Confirmer {
  const channel = new Channel(new URL(`http://${address}`));

  async function attempt(
    { customerId: _, ...confirmation }: Confirmation & { signature: Uint8Array },
    traceparent: string | undefined,
    signal: AbortSignal,
  ): Promise<StatusName> {
    const bearer = await token(confirmation.service, confirmation.storeId);
    const metadata = ["authorization", `Bearer ${bearer}`];
    if (traceparent !== undefined) metadata.push("traceparent", traceparent);
    try {
      const request = writeMessage(ConfirmErasureRequestSchema, confirmation);
      await channel.unary(PATH, request, { metadata, timeoutMs: DEADLINE_MS, signal });
      return "OK";
    } catch (error) {
      if (error instanceof GrpcError) return error.status;
      throw error;
    }
  }

  return {
    async confirm(confirmation, traceparent, signal) {
      const { requestId, service, evidence } = confirmation;
      const evidenceSha256 = evidenceDigest(requestId, evidence).sha256;
      const signature = await signAs(service, confirmationBytes({ ...confirmation, evidenceSha256 }));
      for (let attempts = 1;; attempts++) {
        const status = await attempt({ ...confirmation, signature }, traceparent, signal);
        const retry = RETRYABLE.includes(status) && attempts < ATTEMPTS && !signal.aborted;
        if (!retry) return status;
        await pause(exponential(attempts, 200, 5_000), signal);
      }
    },
    [Symbol.dispose]: () => channel[Symbol.dispose](),
  };
}
