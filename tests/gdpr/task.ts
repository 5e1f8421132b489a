/** Runs tasks in processes of their own, as users do. */

/** Runs tasks/NAME.ts without the environment variables of this test run. */
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
