/** Measured child processes, with their CPU time and memory. Linux only (/proc). */

export interface Serving extends AsyncDisposable {
  pid: number;
  port: number;
}

/** Starts a server that prints its port on its first line. */
export async function serving(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Serving> {
  const child = new Deno.Command(command, { args, env, stdin: "null", stdout: "piped", stderr: "inherit" })
    .spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await lines.read();
  const port = Number(value?.trim());
  if (!port) throw new Error(`Cannot start ${command} ${args.join(" ")}: it did not print its port`);
  return {
    pid: child.pid,
    port,
    async [Symbol.asyncDispose]() {
      await lines.cancel();
      await end(child);
    },
  };
}

export interface FixedServer {
  command: string;
  args: string[];
  env?: Record<string, string>;
  cwd?: string;
  port: number;
  /** Returns whether it accepts requests; by default, whether its port accepts connections. */
  isReady?: () => Promise<boolean>;
}

const START_LIMIT_MS = 60_000;

/** Starts a server on a given port and waits until it is ready. */
export async function servingOn(
  { port, isReady = () => accepts(port), ...settings }: FixedServer,
): Promise<Serving> {
  const { command, ...options } = settings;
  const child = new Deno.Command(command, { ...options, stdin: "null", stdout: "null", stderr: "null" })
    .spawn();
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  const limit = performance.now() + START_LIMIT_MS;
  while (!await isReady()) {
    if (hasEnded || performance.now() > limit) {
      if (!hasEnded) await end(child);
      throw new Error(
        `Cannot start ${command}: it ${hasEnded ? "has exited" : "is not ready after a minute"}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { pid: child.pid, port, [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch { /* it has exited */ }
  await child.status;
}

async function accepts(port: number): Promise<boolean> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
  connection?.close();
  return connection !== undefined;
}

/** Runs a program of this folder with a job, and returns the JSON that it prints. */
export async function runJob<Result>(file: string, job: unknown): Promise<Result> {
  const path = new URL(file, import.meta.url).pathname;
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--unstable-no-legacy-abort", path, JSON.stringify(job)],
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot continue: ${file} has failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** CPU microseconds of all threads of a process, optionally with its children, ended ones included. */
export async function cpuMicroseconds(pid: number, children = false): Promise<number> {
  let ticks = 0;
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    if (stat === "") continue; // it has ended
    // The second field is the name in parentheses, which may contain any character.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
    const [own, ended] = [fields[11]! + fields[12]!, fields[13]! + fields[14]!];
    if (Number(name) === pid) ticks += own + (children ? ended : 0);
    else if (children && fields[1] === pid) ticks += own;
  }
  return ticks * MICROSECONDS_PER_TICK;
}

/** The kernel reports times in ticks of 1/100 s on every platform that Deno supports. */
const MICROSECONDS_PER_TICK = 10_000;

/** Memory of a process in megabytes: resident, and of that the part that is not file-backed. */
export async function memory(pid: number): Promise<{ resident: number; own: number }> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const kilobytes = (name: string) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m"))?.[1]);
  return { resident: kilobytes("VmRSS") / 1_024, own: kilobytes("RssAnon") / 1_024 };
}
