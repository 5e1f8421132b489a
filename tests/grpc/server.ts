/** Echo service in its own process, so that a test detects when a client ends it. */
import assert from "node:assert/strict";

export interface TestServer extends AsyncDisposable {
  port: number;
  pid: number;
  /** Fails when the process has ended by itself. */
  assertAlive(): Promise<void>;
  close(): Promise<void>;
}

export interface TestServerOptions {
  /** PEM texts. */
  tls?: { certificate: string; key: string };
  /**
   * Program and arguments that replace echo_process.ts; it has to print its port, and to end with standard
   * input.
   */
  command?: readonly [string, ...string[]];
}

const ECHO = new URL("echo_process.ts", import.meta.url).pathname;
/** A command line that replaces the default of `command`, to try the tests themselves on another server. */
const OTHER = Deno.env.get("TEST_GRPC_SERVER");
const ALIVE = "alive";

export async function startTestServer({ tls, command }: TestServerOptions = {}): Promise<TestServer> {
  command ??= OTHER?.split(" ") as [string, ...string[]] | undefined;
  const run = [Deno.execPath(), "run", "-A", "--quiet", "--unstable-no-legacy-abort", ECHO];
  const [program, ...args] = command ??
    [...run, ...tls ? [JSON.stringify(tls)] : []] as [string, ...string[]];
  const process = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const complaints = new Response(process.stderr).text();
  const output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = Number((await output.read()).value);
  assert.ok(port > 0, `The test server does not start: ${port > 0 || await complaints}`);
  let closing: Promise<void> | undefined;
  const close = async () => {
    await process.stdin.close().catch(() => {}); // it has ended
    await output.cancel();
    await Promise.all([process.status, complaints]);
  };
  return {
    port,
    pid: process.pid,
    async assertAlive() {
      const state = await Promise.race([process.status, Promise.resolve(ALIVE)]);
      if (state !== ALIVE) assert.fail(`The server has ended: ${(await complaints).slice(0, 2_000)}`);
    },
    close: () => closing ??= close(),
    [Symbol.asyncDispose]: () => closing ??= close(),
  };
}
