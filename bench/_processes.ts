/** Processes under measurement: started until disposed, and what CPU time they have used. Linux only (/proc). */

/** A child that has said on its first line of output that it serves, and on which port. */
export interface Serving extends AsyncDisposable {
  pid: number;
  port: number;
}

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
  if (!port) throw new Error(`Cannot start ${command} ${args.join(" ")}: it does not say its port`);
  return {
    pid: child.pid,
    port,
    async [Symbol.asyncDispose]() {
      await lines.cancel();
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

/** Microseconds of CPU that a process has used in all its threads, and if asked its children, past ones included. */
export async function cpuMicroseconds(pid: number, children = false): Promise<number> {
  let ticks = 0;
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    // The second field is the name in parentheses, which may hold anything; the rest is plain.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
    const [own, ended] = [fields[11]! + fields[12]!, fields[13]! + fields[14]!];
    if (Number(name) === pid) ticks += own + (children ? ended : 0);
    else if (children && fields[1] === pid) ticks += own;
  }
  return ticks * MICROSECONDS_PER_TICK;
}

/** The kernel tells times in ticks of 1/100 s on every platform that Deno supports. */
const MICROSECONDS_PER_TICK = 10_000;

/** What a process holds in memory. */
export async function residentMegabytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1]) / 1_024;
}
