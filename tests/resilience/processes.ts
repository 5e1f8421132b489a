/** Child processes and listening ports, from Linux' /proc. */

/** A test that needs /proc. */
export function linuxTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: Deno.build.os !== "linux", fn });
}

/** PIDs in ascending order. */
export async function childrenOf(pid: number): Promise<number[]> {
  const pids: number[] = [];
  for await (const thread of Deno.readDir(`/proc/${pid}/task`)) {
    const children = await Deno.readTextFile(`/proc/${pid}/task/${thread.name}/children`);
    pids.push(...children.split(" ").filter((pid) => pid).map(Number));
  }
  return pids.sort((a, b) => a - b);
}

export async function isThere(pid: number): Promise<boolean> {
  return await Deno.stat(`/proc/${pid}`).then(() => true, () => false);
}

/** Processes that listen on the port themselves. */
export async function listeningAt(port: number, pids: readonly number[]): Promise<number[]> {
  const sockets = (await Deno.readTextFile("/proc/net/tcp")).split("\n").map((line) =>
    line.trim().split(/\s+/)
  );
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const inodes = sockets.filter(([, local, , state]) => local?.endsWith(`:${hex}`) && state === "0A")
    .map((fields) => `socket:[${fields[9]}]`);
  const found: number[] = [];
  for (const pid of pids) {
    for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
      const target = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
      if (inodes.includes(target)) found.push(pid);
    }
  }
  return found;
}
