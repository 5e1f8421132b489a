/** Process of the real Apollo Router with the configuration of deploy/router, on loopback only. */
import { freePort } from "../ports.ts";

const FOLDER = new URL("../../deploy/router/", import.meta.url);
const CACHED = new URL("../../.data/router/bin/router", import.meta.url).pathname;

const HOW_TO_GET_IT = `Cannot find the Apollo Router: no ROUTER_BIN, and nothing at .data/router/bin/router

Download it from its project, or build it once with Rust 1.95 and Debian's protobuf-compiler. On two cores the build
takes 15 minutes:

  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \\
    cargo install apollo-router@2.17.0 --locked --root .data/router
`;

/** The router is not available. The message says how to install it. */
export class RouterMissing extends Error {
  override name = "RouterMissing";
}

/**
 * Returns the path of the binary.
 *
 * @throws {RouterMissing}
 */
export async function findRouter(): Promise<string> {
  const path = Deno.env.get("ROUTER_BIN") ?? CACHED;
  const found = await Deno.stat(path).then(({ isFile }) => isFile, () => false);
  if (!found) throw new RouterMissing(HOW_TO_GET_IT);
  return path;
}

export interface Router extends AsyncDisposable {
  url: string;
  healthUrl: string;
  /** Output of the router so far. */
  log(): string;
  /** Sends SIGTERM and returns the exit code. */
  stop(): Promise<number>;
}

/** @param env variables that router.yaml reads */
export async function startRouter(binary: string, env: Record<string, string>): Promise<Router> {
  const health = `127.0.0.1:${freePort()}`;
  const process = new Deno.Command(binary, {
    args: ["--config", "router.yaml", "--supergraph", "supergraph.graphql"],
    cwd: FOLDER,
    clearEnv: true,
    env: {
      APOLLO_TELEMETRY_DISABLED: "true",
      ROUTER_LISTEN: "127.0.0.1:0",
      ROUTER_HEALTH_LISTEN: health,
      ...env,
    },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let log = "";
  const listening = Promise.withResolvers<string>();
  const printed = (async () => {
    for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
      log += text;
      const url = log.match(/GraphQL endpoint exposed at (http:\S+)/)?.[1];
      if (url) listening.resolve(url);
    }
    listening.reject(new Error(`Cannot start the router: it has ended\n${log}`));
  })();
  listening.promise.catch(() => {}); // awaited below
  const stop = async () => {
    try {
      process.kill("SIGTERM");
    } catch { /* it has ended */ }
    await printed;
    return (await process.status).code;
  };
  return {
    url: await listening.promise,
    healthUrl: `http://${health}/health`,
    log: () => log,
    stop,
    [Symbol.asyncDispose]: async () => void await stop(),
  };
}
