/** Fake Kubernetes API with the endpoint that Vault calls, the token review. */
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { createAuthority } from "../rpc/certificates.ts";
import type { VaultServer } from "./server.ts";

export interface Cluster extends AsyncDisposable {
  /** A file as Kubernetes mounts it into a pod. */
  tokenPath: string;
  /** Writes another service account's token into the file. */
  mount(account: string, more?: { expires?: string; audience?: string }): Promise<void>;
  /** All tokens that were written to the file. */
  tokens: string[];
  /** Whether the API works. Otherwise it returns HTTP 500. */
  healthy: boolean;
}

const NAMESPACE = "shop";
/** Audience of the token in deploy/kubernetes and of the role in docs/configuration.md. */
const AUDIENCE = "vault";
/** Default audience of the cluster. */
const ITSELF = "https://kubernetes.default.svc";

/** @param mount path of Vault's Kubernetes authentication, whose role `customer-service` is for that account */
export async function startCluster(
  vault: VaultServer,
  policies: string[],
  mount = "kubernetes",
): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const { kid } = await exportJWK(publicKey);
  const folder = stack.adopt(
    await Deno.makeTempDir({ prefix: "customer-service-pod-" }),
    (path) => Deno.remove(path, { recursive: true }),
  );
  const authority = createAuthority("cluster");
  const { certificate: cert, key } = authority.issue({ ip: "127.0.0.1" });

  const review = async (request: Request): Promise<Response> => {
    if (new URL(request.url).pathname !== "/apis/authentication.k8s.io/v1/tokenreviews") {
      return Response.json({}, { status: 404 });
    }
    if (!cluster.healthy) return Response.json({}, { status: 500 });
    const { spec } = await request.json();
    const audience: string[] = spec.audiences?.length ? spec.audiences : [ITSELF];
    const payload = await jwtVerify(spec.token, publicKey, { audience }).then(
      (verified) => verified.payload,
      () => undefined,
    );
    const account = payload?.sub?.split(":").at(-1);
    const status = account
      ? {
        authenticated: true,
        audiences: audience,
        user: {
          username: `system:serviceaccount:${NAMESPACE}:${account}`,
          uid: `uid-of-${account}`,
          groups: ["system:serviceaccounts", `system:serviceaccounts:${NAMESPACE}`, "system:authenticated"],
        },
      }
      : { authenticated: false, error: "invalid bearer token" };
    return Response.json({ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", status }, {
      status: 201,
    });
  };
  const server = stack.adopt(
    Deno.serve({ hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} }, review),
    (server) => server.shutdown(),
  );

  const tokenPath = `${folder}/token`;
  const cluster: Omit<Cluster, keyof AsyncDisposable> = {
    tokenPath,
    tokens: [],
    healthy: true,
    async mount(account, { expires = "10m", audience = AUDIENCE } = {}) {
      const token = await new SignJWT({
        "kubernetes.io": {
          namespace: NAMESPACE,
          serviceaccount: { name: account, uid: `uid-of-${account}` },
        },
      }).setProtectedHeader({ alg: "RS256", ...(kid ? { kid } : {}) })
        .setIssuer(ITSELF).setSubject(
          `system:serviceaccount:${NAMESPACE}:${account}`,
        ).setAudience([audience])
        .setIssuedAt().setExpirationTime(expires).sign(privateKey);
      cluster.tokens.push(token);
      await Deno.writeTextFile(tokenPath, `${token}\n`);
    },
  };
  await cluster.mount("customer-service");
  await vault.call("POST", `sys/auth/${mount}`, { type: "kubernetes" });
  await vault.call("POST", `auth/${mount}/config`, {
    kubernetes_host: `https://127.0.0.1:${server.addr.port}`,
    kubernetes_ca_cert: authority.certificate,
    token_reviewer_jwt: cluster.tokens[0],
    disable_local_ca_jwt: true,
  });
  await vault.call("POST", `auth/${mount}/role/customer-service`, {
    bound_service_account_names: ["customer-service"],
    bound_service_account_namespaces: [NAMESPACE],
    audience: AUDIENCE,
    token_policies: policies,
    token_ttl: "10m",
  });
  const running = stack.move();
  return Object.assign(cluster, { [Symbol.asyncDispose]: () => running.disposeAsync() });
}
