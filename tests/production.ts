/** Production configuration for tests, on loopback. */
import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";
import type { RunningService } from "./service.ts";

/** An address on which nothing listens. */
export const UNREACHABLE = "127.0.0.1:1";

/** Required variables of production, without those of authentication. */
export function production(databaseUrl: string): Record<string, string> {
  return {
    DENO_ENV: "production",
    BIND: "127.0.0.1",
    DATABASE_URL: databaseUrl,
    KAFKA_BROKERS: UNREACHABLE,
    SHUTDOWN_DELAY: "0s",
    GDPR_GRACE: "0s",
    TRUSTED_PROXIES: "0",
    GDPR_EXPORT_KEY: Buffer.alloc(32, 1).toString("base64"),
    GDPR_HASH_KEY: Buffer.alloc(32, 2).toString("base64"),
    GDPR_RECEIPT_KEY: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "der" })
      .toString("base64"),
    PEER_ORDER_SERVICE_URL: "https://order-service.example",
    PEER_PAYMENT_SERVICE_URL: "https://payment-service.example",
    PEER_COMMUNICATION_SERVICE_URL: "https://communication-service.example",
  };
}

const GATEWAY_SECRET = "a secret of the gateway that is long enough".replaceAll(" ", "-");
/** SPIFFE identities of the platform. */
export const PLATFORM = { GRPC_TRUST_DOMAIN: "platform.example", GRPC_CALLER_NAMESPACES: "shop" };

/** Authentication by the platform's gateway and mesh. */
export const TRUSTING = { AUTH_MODE: "gateway", GATEWAY_SECRET, GRPC_AUTH: "mesh", ...PLATFORM };

/** The gateway's headers for a shopper. */
export function gatewayHeaders({ id, storeId }: { id: string; storeId: string }): Record<string, string> {
  return {
    "x-gateway-secret": GATEWAY_SECRET,
    "x-user-id": id,
    "x-store-id": storeId,
    "x-principal-type": "CUSTOMER",
    "x-auth-time": String(Math.floor(Date.now() / 1_000)),
  };
}

/** The mesh's header for cart-service. */
export const CART = "spiffe://platform.example/ns/shop/sa/cart-service";
export const MESH = { "x-forwarded-client-cert": `URI=${CART}` };

/** Ports that the last start has logged. */
export async function portsOf(service: RunningService): Promise<{ http: number; grpc: number }> {
  await service.ready();
  const text = service.output().trim().split("\n").findLast((line) => /Ready: HTTP/.test(line));
  const line = JSON.parse(text ?? "");
  return { http: line.properties.httpPort, grpc: line.properties.grpcPort };
}
