/** Process of main.ts for tests that start the service as a whole. */
import assert from "node:assert/strict";

const ROOT = new URL("..", import.meta.url).pathname;

export interface RunningService extends AsyncDisposable {
  /** Waits until the service is ready and returns its output. */
  ready(): Promise<string>;
  /** Output of the service so far. */
  output(): string;
  pid: number;
  /** Waits until its output matches and returns it. */
  waitForOutput(pattern: RegExp): Promise<string>;
  /** Sends a signal. Does nothing if the process has exited. */
  signal(signal: Deno.Signal): void;
  /** Waits for its exit and returns all output. */
  exited(): Promise<ExitResult>;
  /** Sends a signal and waits for the exit. */
  stop(signal: Deno.Signal): Promise<ExitResult>;
}

export interface ExitResult {
  /** Null if a signal has ended it. */
  code: number | null;
  signal: Deno.Signal | null;
  output: string;
  stderr: string;
}

export interface ServiceOptions {
  /** Maximum number of open files and sockets, on systems with a shell. */
  descriptors?: number;
  /** Module that Deno evaluates before the service. */
  preload?: string | undefined;
}

/** @param env all its variables, except those that Deno needs; its ports are free ones */
export function startService(env: Record<string, string>, options: ServiceOptions = {}): RunningService {
  return watch(command(env, options).spawn());
}

/** Wraps a running process of the service. */
export function watch(process: Deno.ChildProcess): RunningService {
  const stderr = new Response(process.stderr).text();
  const stdout = process.stdout.getReader();
  let text = "";
  let progress = Promise.withResolvers<void>();
  const reading = (async () => {
    const decoder = new TextDecoder();
    for (;;) {
      const { value, done } = await stdout.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      progress.resolve();
      progress = Promise.withResolvers<void>();
    }
  })();
  const signal = (signal: Deno.Signal) => {
    try {
      process.kill(signal);
    } catch { /* it has ended */ }
  };
  const exited = async () => {
    const { code, signal } = await process.status;
    await reading;
    return { code: signal ? null : code, signal, output: text, stderr: await stderr };
  };
  const waitForOutput = async (pattern: RegExp) => {
    while (!pattern.test(text)) {
      await Promise.race([
        progress.promise,
        process.status.then(async () => assert.fail(`The service has exited: ${await stderr}`)),
      ]);
    }
    return text;
  };
  const stop = (how: Deno.Signal) => {
    signal(how);
    return exited();
  };
  return {
    pid: process.pid,
    output: () => text,
    signal,
    exited,
    stop,
    // The last line of a start in development, and in production.
    ready: () => waitForOutput(/Press Ctrl-C to stop|Ready: HTTP/),
    waitForOutput,
    async [Symbol.asyncDispose]() {
      await stop("SIGTERM");
    },
  };
}

/** Starts the service, which must fail with exit code 1, and returns its error output. It waits for no database by default. */
export async function startAndFail(env: Record<string, string>): Promise<string> {
  const { code, stderr } = await command({ DATABASE_WAIT: "0s", ...env }).output();
  assert.equal(code, 1);
  return new TextDecoder().decode(stderr);
}

/** Temporary folder that the embedded database can use. */
export async function temporaryFolder() {
  const path = await Deno.makeTempDir({ prefix: "customer-service-start-" });
  await Deno.chmod(path, 0o711);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Command without the variables of this test run. */
function command(
  env: Record<string, string>,
  { descriptors, preload }: ServiceOptions = {},
): Deno.Command {
  const inherited = Object.fromEntries(["PATH", "HOME", "DENO_DIR"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
  const before = preload === undefined ? [] : [`--preload=${preload}`];
  const run = [Deno.execPath(), "run", ...flags(env), ...before, "main.ts"];
  const bounded = ["sh", "-c", 'ulimit -n "$0" && exec "$@"', String(descriptors), ...run];
  const [program = "", ...args] = descriptors === undefined ? run : bounded;
  return new Deno.Command(program, {
    args,
    cwd: ROOT,
    clearEnv: true,
    env: { ...inherited, HTTP_PORT: "0", GRPC_PORT: "0", ...env },
    stdout: "piped",
    stderr: "piped",
  });
}

/**
 * Permissions: in production those of deno.json, but all reads are allowed because the files are in other folders here,
 * and Deno may be run by its path.
 */
function flags({ DENO_ENV }: Record<string, string>): string[] {
  const permissions = DENO_ENV === "production"
    ? ["-P", "--allow-read", `--allow-run=${Deno.execPath()}`]
    : ["-A"];
  // Quiet: no warning of Deno in the output. The others are the flags of the task `start`.
  const unstable = ["--unstable-no-legacy-abort", "--unstable-lazy-dynamic-imports"];
  return ["--quiet", ...permissions, "--no-prompt", ...unstable];
}
