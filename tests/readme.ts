/** Commands in README.md and docs/, run in a shell as a reader pastes them. */
import assert from "node:assert/strict";
import { dirname } from "node:path";

const ROOT = new URL("..", import.meta.url).pathname;

/** Names the variables that lead `./cs` to a service: the line that its start prints. */
export function variablesIn(tour: string): string {
  return tour.match(/^export .*$/m)?.[0] ?? "";
}

/** Shell blocks of a page that call `./cs`; with a heading only those below it and its subheadings. */
export async function shellBlocks(page: string, heading?: string): Promise<string[]> {
  const text = await Deno.readTextFile(`${ROOT}${page}`);
  const section = heading === undefined ? text : sectionOf(text, heading);
  const blocks = [...section.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = ""]) => block);
  const calls = blocks.filter((block) => block.includes("./cs "));
  assert.ok(calls.length > 0, `${page} has calls below ${heading ?? "its title"}`);
  return calls;
}

function sectionOf(text: string, heading: string): string {
  const level = heading.match(/^#+/)![0].length;
  const [, section = ""] = text.split(`\n${heading}\n`);
  const end = section.search(new RegExp(`\n#{1,${level}} `));
  return end < 0 ? section : section.slice(0, end);
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

/**
 * Asserts that the commands of the whole tour did what its text says.
 *
 * @param folder where they have written files
 */
export async function assertTour(
  { stdout, stderr }: { stdout: string; stderr: string },
  folder: string,
): Promise<void> {
  const answers = stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  const has = (test: (answer: typeof answers[number]) => boolean, what: string) =>
    assert.ok(answers.some(test), `${what}:\n${stdout}\n${stderr}`);
  has(({ data }) => data?.me?.orders?.length === 2, "the federated graph has orders");
  has(
    ({ data }) =>
      data?.gdprRequests?.nodes.some(({ participants }: { participants?: { state: string }[] }) =>
        participants?.some(({ state }) => state === "RETRYING")
      ),
    "communication-service is retried",
  );
  has(
    ({ code, message }) => code === "REFUSED_IN_STATE" && /link has been used/.test(message),
    "a link works once",
  );
  has(({ errors }) => /it has been erased/.test(errors?.[0].message), "the customer is erased");
  assert.match(stdout, /All checks passed\.\s*$/, "the receipt is valid");
  assert.match(await Deno.readTextFile(`${folder}/access.html`), /^<!doctype html>/i);
  assert.deepEqual(
    stderr.match(/^\d{3} .*$/gm),
    ["412 Precondition Failed", "400 Bad Request", "403 Forbidden", "410 Gone"],
    "exactly what the text calls refused is refused",
  );
}
