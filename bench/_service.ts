/** The complete service as in production, as a process: tokens for HTTP, a mesh for gRPC, no reachable Kafka. */
import { claimsFor, generateKey, type Issuer, type Key, sign, startIssuer } from "../tests/auth/issuer.ts";
import { freePort } from "../tests/ports.ts";
import { MESH, PLATFORM, production } from "../tests/production.ts";
import type { CustomerId } from "./_database.ts";
import { type Serving, servingOn } from "./_processes.ts";

export { MESH };

/** Arguments of Deno that run the service like the image. */
export const RUN = [
  ...["run", "-A", "--quiet", "--cached-only"],
  ...["--unstable-no-legacy-abort", "--unstable-lazy-dynamic-imports"],
];
const ROOT = new URL("..", import.meta.url).pathname;
/** Requests are counted, and none is refused. */
const UNREACHED = { RATE_LIMIT_PRINCIPAL: "9999999", RATE_LIMIT_ADDRESS: "9999999" };

/** Issuer of shoppers' tokens. */
export interface Shoppers extends AsyncDisposable {
  issuer: Issuer;
  key: Key;
}

export async function openShoppers(): Promise<Shoppers> {
  const key = await generateKey("EdDSA");
  const issuer = startIssuer(key);
  return { issuer, key, [Symbol.asyncDispose]: () => issuer[Symbol.asyncDispose]() };
}

/** Writes a token for each of the customers, one a line. Returns the path of the file. */
export async function writeTokens(
  path: string,
  { issuer, key }: Shoppers,
  customers: readonly CustomerId[],
): Promise<string> {
  const tokens = await Promise.all(customers.map(({ customerId, storeId }) => {
    const claims = { sub: customerId, store_id: storeId, principal_type: "CUSTOMER", roles: [] };
    return sign(key, claimsFor(issuer, { ...claims, exp: Math.floor(Date.now() / 1_000) + 86_400 }));
  }));
  await Deno.writeTextFile(path, tokens.join("\n"));
  return path;
}

export interface ProductionService extends AsyncDisposable {
  http: Serving;
  grpc: Serving;
}

/** Starts the service and waits until it is ready. */
export async function startService(
  databaseUrl: string,
  { issuer }: Shoppers,
  env: Record<string, string> = {},
): Promise<ProductionService> {
  const [http, grpc] = [freePort(), freePort()];
  const server = await servingOn({
    command: Deno.execPath(),
    args: [...RUN, "main.ts"],
    cwd: ROOT,
    port: http,
    env: {
      ...production(databaseUrl),
      ...PLATFORM,
      ...UNREACHED,
      GRPC_AUTH: "mesh",
      JWT_JWKS_URL: issuer.jwksUrl.href,
      JWT_ISSUER: issuer.issuer,
      JWT_AUDIENCE: issuer.audience,
      HTTP_PORT: String(http),
      GRPC_PORT: String(grpc),
      ...env,
    },
    isReady: () => isReady(http),
  });
  const end = () => server[Symbol.asyncDispose]();
  return {
    http: server,
    grpc: { pid: server.pid, port: grpc, [Symbol.asyncDispose]: end },
    [Symbol.asyncDispose]: end,
  };
}

async function isReady(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok === true;
}
