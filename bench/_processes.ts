/** Measured child processes, with their CPU time and memory. Linux only (/proc). */

/** A child process that has printed its port on its first line. */
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
  if (!port) throw new Error(`Cannot start ${command} ${args.join(" ")}: it did not print its port`);
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

/** CPU microseconds of all threads of a process, optionally with its children, ended ones included. */
export async function cpuMicroseconds(pid: number, children = false): Promise<number> {
  let ticks = 0;
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
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
