/** Secret files that development generates on first use. */

/**
 * Reads a file, or creates it with the generated text, readable by its owner only. Concurrent processes all receive the
 * same text.
 */
export async function readOrGenerateFile(
  path: string,
  generate: () => Promise<string> | string,
): Promise<string> {
  return await Deno.readTextFile(path).catch(async (error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await writeOnce(path, await generate());
    return await Deno.readTextFile(path);
  });
}

/** Writes a temporary file and links it. Only one process succeeds, and no reader sees half a file. */
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
