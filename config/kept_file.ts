/** Files with secrets that development makes for itself, once. */

/**
 * The text of a file that only its owner may read, made when it is not there. Any number of processes may ask
 * at once: all of them get the same text.
 */
export async function keepFile(path: string, make: () => Promise<string> | string): Promise<string> {
  return await Deno.readTextFile(path).catch(async (error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await writeOnce(path, await make());
    return await Deno.readTextFile(path);
  });
}

/** Written aside and then linked, which one of several processes can do: nobody reads half a file. */
async function writeOnce(path: string, text: string): Promise<void> {
  const draft = `${path}.${crypto.randomUUID()}`;
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  try {
    await Deno.writeTextFile(draft, text, { createNew: true, mode: 0o600 });
    await Deno.link(draft, path).catch((error) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
  } finally {
    await Deno.remove(draft).catch(() => {});
  }
}
