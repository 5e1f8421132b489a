/** How production runs the service, on the loopback interface, since these are tests. */
import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";
import type { RunningService } from "./service.ts";

/** Nobody listens there. */
export const NOBODY_LISTENS = "127.0.0.1:1";

/** Variables with which it starts, but for how callers prove who they are. */
export function production(databaseUrl: string): Record<string, string> {
  return {
    DENO_ENV: "production",
    BIND: "127.0.0.1",
    DATABASE_URL: databaseUrl,
    KAFKA_BROKERS: NOBODY_LISTENS,
    SHUTDOWN_DELAY: "0s",
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
/** The identities that the platform gives its services. */
export const PLATFORM = { GRPC_TRUST_DOMAIN: "platform.example", GRPC_CALLER_NAMESPACES: "shop" };

/** Callers are believed what the platform says of them. */
export const TRUSTING = { AUTH_MODE: "gateway", GATEWAY_SECRET, GRPC_AUTH: "mesh", ...PLATFORM };

/** What the gateway says of a shopper. */
export function gatewayHeaders({ id, storeId }: { id: string; storeId: string }): Record<string, string> {
  return {
    "x-gateway-secret": GATEWAY_SECRET,
    "x-user-id": id,
    "x-store-id": storeId,
    "x-principal-type": "CUSTOMER",
  };
}

/** What the mesh says of cart-service. */
export const CART = "spiffe://platform.example/ns/shop/sa/cart-service";
export const MESH = { "x-forwarded-client-cert": `URI=${CART}` };

/** As its last start has said them. */
export async function portsOf(service: RunningService): Promise<{ http: number; grpc: number }> {
  await service.ready();
  const said = service.printed().trim().split("\n").findLast((line) => /Ready: HTTP/.test(line));
  const line = JSON.parse(said ?? "");
  return { http: line.properties.httpPort, grpc: line.properties.grpcPort };
}
