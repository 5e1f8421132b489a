/** A task in a process of its own, as its user meets it. */

/** Runs tasks/NAME.ts without any of this run's own variables. */
export async function runTask(name: string, args: string[], env: Record<string, string> = {}) {
  const inherited = Object.fromEntries(["PATH", "HOME", "DENO_DIR"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
  const script = new URL(`../../tasks/${name}.ts`, import.meta.url).href;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", script, ...args],
    clearEnv: true,
    env: { ...inherited, ...env },
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
