/** The service as its operator meets it: main.ts as a process of its own. */
import assert from "node:assert/strict";

const ROOT = new URL("..", import.meta.url).pathname;

export interface RunningService extends AsyncDisposable {
  /** What it has printed once it is ready. */
  ready(): Promise<string>;
  /** What it has printed so far. */
  printed(): string;
  pid: number;
  /** What it has printed once this is a part of it. */
  says(words: RegExp): Promise<string>;
  /** Does nothing once it has ended. */
  signal(signal: Deno.Signal): void;
  /** What it has come to and all that it has printed. */
  ended(): Promise<Ended>;
  /** Tells it to end, and waits for that. */
  stop(signal: Deno.Signal): Promise<Ended>;
}

export interface Ended {
  /** Null when the signal has ended it. */
  code: number | null;
  signal: Deno.Signal | null;
  output: string;
  complaints: string;
}

/**
 * @param env all the variables that it gets, apart from what Deno itself needs; its ports are free ones
 * @param descriptors how many files and sockets it may have open, on a system that has a shell
 */
export function startService(env: Record<string, string>, descriptors?: number): RunningService {
  return watch(command(env, descriptors).spawn());
}

/** Follows a process of the service, whatever has started it. */
export function watch(process: Deno.ChildProcess): RunningService {
  const complaints = new Response(process.stderr).text();
  const output = process.stdout.getReader();
  let text = "";
  let progress = Promise.withResolvers<void>();
  const printed = (async () => {
    const decoder = new TextDecoder();
    for (;;) {
      const { value, done } = await output.read();
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
  const ended = async () => {
    const { code, signal } = await process.status;
    await printed;
    return { code: signal ? null : code, signal, output: text, complaints: await complaints };
  };
  const says = async (words: RegExp) => {
    while (!words.test(text)) {
      await Promise.race([
        progress.promise,
        process.status.then(async () => assert.fail(`It ended: ${await complaints}`)),
      ]);
    }
    return text;
  };
  const stop = (how: Deno.Signal) => {
    signal(how);
    return ended();
  };
  return {
    pid: process.pid,
    printed: () => text,
    signal,
    ended,
    stop,
    ready: () => says(/Press Ctrl-C to stop|Ready: HTTP/),
    says,
    async [Symbol.asyncDispose]() {
      await stop("SIGTERM");
    },
  };
}

/** What a start that must fail says; it has to say it with exit code 1. */
export async function failure(env: Record<string, string>): Promise<string> {
  const { code, stderr } = await command(env).output();
  assert.equal(code, 1);
  return new TextDecoder().decode(stderr);
}

/** A folder that the embedded database can be kept in. */
export async function temporaryFolder() {
  const path = await Deno.makeTempDir({ prefix: "customer-service-start-" });
  await Deno.chmod(path, 0o711);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Without the variables of this test's own run. */
function command(env: Record<string, string>, descriptors?: number): Deno.Command {
  const inherited = Object.fromEntries(["PATH", "HOME", "DENO_DIR"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
  const run = [Deno.execPath(), "run", ...flags(env), "main.ts"];
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
 * Production gets what deno.json grants. Its files stand in other places here, so it may read everywhere, and Deno is
 * not on the path.
 */
function flags({ DENO_ENV }: Record<string, string>): string[] {
  const permissions = DENO_ENV === "production"
    ? ["-P", "--allow-read", `--allow-run=${Deno.execPath()}`]
    : ["-A"];
  return ["--quiet", ...permissions, "--no-prompt", "--unstable-no-legacy-abort"];
}
