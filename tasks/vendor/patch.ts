/** Unified diffs between two folders, made and applied by git. */

/** The patch that turns `folder/published` into `folder/vendored`. */
export async function createPatch(folder: string): Promise<string> {
  const { code, stdout, stderr } = await git(folder, [
    ...["diff", "--no-index", "--no-ext-diff", "--no-color", "--no-renames", "--full-index"],
    ...["published", "vendored"],
  ]);
  if (code > 1) throw new Error(`Cannot create a patch: ${stderr}`); // 1: there are differences
  return stdout;
}

/** Changes the files of a folder. Throws where a line that the patch expects is missing. */
export async function applyPatch(patch: string, folder: string): Promise<void> {
  const { code, stderr } = await git(folder, ["apply", "-p2", "--whitespace=nowarn", patch]);
  if (code !== 0) throw new Error(`Cannot apply ${patch}: ${stderr}`);
}

async function git(cwd: string, args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  // Outside of any repository git ignores its configuration and changes whatever files the patch names.
  const env = { GIT_CEILING_DIRECTORIES: cwd.slice(0, cwd.lastIndexOf("/")), GIT_CONFIG_NOSYSTEM: "1" };
  const { code, stdout, stderr } = await new Deno.Command("git", { args, cwd, env }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
