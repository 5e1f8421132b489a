/** Real Vault for tests: OpenBao's development server, in memory, on a free loopback port. */
import assert from "node:assert/strict";
import { eventually } from "../eventually.ts";
import { freePort } from "../ports.ts";

/** Path of the program, set by tests/run.ts; undefined if it is not available. */
export const PROGRAM = Deno.env.get("TEST_VAULT");
export const ENGINE = "ss3/kv";

/** A test that is skipped if Vault is not available. */
export function vaultTest(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name, ignore: !PROGRAM, fn });
}

// deno-lint-ignore no-explicit-any -- any response of the API
type Json = any;

export interface VaultServer extends AsyncDisposable {
  address: string;
  /** File of the authority that signed its certificate; only with TLS. */
  authority: string;
  rootToken: string;
  /** Calls the API as root. An error fails the test. */
  call(method: string, path: string, body?: unknown, namespace?: string): Promise<Json>;
  put(path: string, secret: Record<string, unknown>, namespace?: string): Promise<void>;
  /** A token that may read these paths of the engine and nothing else. */
  token(paths: readonly string[], more?: Record<string, unknown>): Promise<string>;
  seal(): Promise<void>;
  unseal(): Promise<void>;
}

/** @param port by default a free one; @param tls with a generated certificate */
export async function startVault({ port = freePort(), tls = false } = {}): Promise<VaultServer> {
  await using stack = new AsyncDisposableStack();
  const rootToken = crypto.randomUUID();
  const folder = stack.adopt(
    await Deno.makeTempDir({ prefix: "customer-service-vault-" }),
    (path) => Deno.remove(path, { recursive: true }),
  );
  const process = new Deno.Command(PROGRAM!, {
    args: [
      ...["server", "-dev", "-dev-no-store-token", `-dev-root-token-id=${rootToken}`],
      `-dev-listen-address=127.0.0.1:${port}`,
      ...(tls ? ["-dev-tls", `-dev-tls-cert-dir=${folder}`] : []),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let output = "";
  const printed = (async () => {
    for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) output += text;
  })();
  stack.defer(async () => {
    try {
      process.kill("SIGKILL"); // it stores nothing
    } catch { /* it has ended by itself */ }
    await printed;
    await process.status;
  });
  const unsealKey = await eventually(() => {
    const key = output.match(/Unseal Key: (\S+)/)?.[1];
    assert.ok(key, `Vault does not start: ${output.slice(-500)}`);
    return key;
  });

  const address = `${tls ? "https" : "http"}://127.0.0.1:${port}`;
  const authority = `${folder}/${tls ? await authorityIn(folder) : "none"}`;
  const client = Deno.createHttpClient(tls ? { caCerts: [await Deno.readTextFile(authority)] } : {});
  stack.defer(() => client.close());
  const call: VaultServer["call"] = async (method, path, body, namespace) => {
    const headers: Record<string, string> = { "x-vault-token": rootToken };
    if (namespace) headers["x-vault-namespace"] = namespace;
    const init = { method, headers, client, ...(body ? { body: JSON.stringify(body) } : {}) };
    const response = await fetch(`${address}/v1/${path}`, init);
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: HTTP ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
  await call("POST", `sys/mounts/${ENGINE}`, { type: "kv", options: { version: "2" } });
  const running = stack.move();
  return {
    address,
    authority,
    rootToken,
    call,
    async put(path, secret, namespace) {
      await call("POST", `${ENGINE}/data/${path}`, { data: secret }, namespace);
    },
    async token(paths, more = {}) {
      const name = `test-${crypto.randomUUID()}`;
      await call("PUT", `sys/policies/acl/${name}`, { policy: policyFor(paths) });
      return (await call("POST", "auth/token/create", { policies: [name], ...more })).auth.client_token;
    },
    seal: () => call("PUT", "sys/seal"),
    unseal: () => call("PUT", "sys/unseal", { key: unsealKey }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export function policyFor(paths: readonly string[]): string {
  return paths.map((path) => `path "${ENGINE}/data/${path}" { capabilities = ["read"] }`)
    .join("\n");
}

async function authorityIn(folder: string): Promise<string> {
  for await (const { name } of Deno.readDir(folder)) if (/ca\.pem$/.test(name)) return name;
  assert.fail("a Vault with TLS has no authority");
}
