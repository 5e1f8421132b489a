/** The tour in README.md, run in a shell as a reader pastes it. */
import assert from "node:assert/strict";
import { dirname } from "node:path";

const ROOT = new URL("..", import.meta.url).pathname;

/** Names the variables that lead `./cs` to a service: the line that its start prints. */
export function variablesIn(tour: string): string {
  return tour.match(/^export .*$/m)?.[0] ?? "";
}

/** Shell blocks below a heading of README.md, those below its subheadings included. */
export async function shellBlocks(heading: string): Promise<string[]> {
  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  const level = heading.match(/^#+/)![0].length;
  const [, section = ""] = readme.split(`\n${heading}\n`);
  const end = section.search(new RegExp(`\n#{1,${level}} `));
  const blocks = [...section.slice(0, end < 0 ? undefined : end).matchAll(/^```sh\n([^]*?)^```$/gm)];
  assert.ok(blocks.length > 0, `README.md has shell blocks below ${heading}`);
  return blocks.map(([, block = ""]) => block);
}

/**
 * Runs commands in the folder of the repository.
 *
 * @returns both outputs; refused calls do not end the shell
 */
export async function paste(commands: string): Promise<{ stdout: string; stderr: string }> {
  const PATH = `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`;
  const shell = new Deno.Command("sh", { args: ["-c", commands], cwd: ROOT, env: { PATH, NO_COLOR: "1" } });
  const { stdout, stderr } = await shell.output();
  const text = new TextDecoder();
  return { stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
