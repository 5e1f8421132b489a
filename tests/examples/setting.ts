/** The real service with its demo store, and the samples of `examples/` as programs that talk to it. */
import assert from "node:assert/strict";
import { openDevelopmentIssuer } from "../../auth/development_issuer.ts";
import { DEMO } from "../../demo/ids.ts";
import { startService, temporaryFolder } from "../service.ts";

export const EXAMPLES = new URL("../../examples/", import.meta.url);

export interface Setting extends AsyncDisposable {
  /** Without a path, "http://127.0.0.1:4000". */
  httpUrl: string;
  /** What the service prints before it is ready. */
  printed: string;
  /** Host and port, "127.0.0.1:50051". */
  grpcAddress: string;
  shopperToken(customerId: string): Promise<string>;
  staffToken(
    role: "CUSTOMER_MANAGER" | "CUSTOMER_SUPPORT" | "PRIVACY_OFFICER" | "STORE_MANAGER",
  ): Promise<string>;
  serviceToken(service: string): Promise<string>;
}

/** @param env variables of the service, such as KAFKA_BROKERS; its ports are free ones unless they are named */
export async function startSetting(env: Record<string, string> = {}): Promise<Setting> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const dataDirectory = `${folder.path}/data`;
  const service = stack.use(startService({ GDPR_GRACE: "0s", ...env, DATA_DIR: dataDirectory }));
  const printed = await service.ready();
  const httpUrl = printed.match(/(http:\S+)\/graphql$/m)?.[1];
  const grpcAddress = printed.match(/^ +gRPC +(\S+)$/m)?.[1];
  assert.ok(httpUrl && grpcAddress, "the service prints its addresses");

  const issuer = await openDevelopmentIssuer(dataDirectory);
  const { storeId } = DEMO;
  const sign = (id: string, type: "CUSTOMER" | "STAFF" | "SYSTEM", roles: string[], service?: string) =>
    issuer.sign({
      principal: { id, type, storeId, roles: roles as never[], authenticatedAt: new Date() },
      service,
    }, 600);
  const running = stack.move();
  return {
    httpUrl,
    printed,
    grpcAddress,
    shopperToken: (customerId) => sign(customerId, "CUSTOMER", []),
    staffToken: (role) => sign(DEMO.staffId, "STAFF", [role]),
    serviceToken: (service) => sign(crypto.randomUUID(), "SYSTEM", [], service),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export interface Result {
  code: number;
  /** Standard output without its last line break. */
  output: string;
  errors: string;
}

/** Runs a program to its end. */
export async function run(program: string, args: string[], env: Record<string, string>): Promise<Result> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, env, stdin: "null" }).output();
  const [output = "", errors = ""] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  return { code, output, errors };
}

/** Runs a sample in TypeScript, which may use the network, the environment and files that it reads, nothing else. */
export function runTypeScript(name: string, args: string[], env: Record<string, string>): Promise<Result> {
  const path = new URL(`typescript/${name}.ts`, EXAMPLES).pathname;
  const permissions = ["--allow-net=127.0.0.1", "--allow-env", "--allow-read", "--no-prompt"];
  return run(Deno.execPath(), ["run", "--quiet", ...permissions, path, ...args], env);
}
