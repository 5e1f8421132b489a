/** The folder in which the embedded PostgreSQL is kept. */
import { sha256 } from "../lib/hash.ts";

/**
 * The folder by its absolute path, since the server's programs run in it. For root one that an unprivileged
 * process can enter, if need be under /var/tmp.
 */
export async function placeFor(where: string, asRoot: boolean): Promise<string> {
  await Deno.mkdir(where, { recursive: true });
  const path = await Deno.realPath(where);
  if (!asRoot) return path;
  const parents = path.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/") || "/");
  const modes = await Promise.all(parents.map(async (parent) => (await Deno.stat(parent)).mode ?? 0));
  if (modes.every((mode) => (mode & 0o001) !== 0)) return path;
  return `/var/tmp/customer-service-${sha256(path).toHex().slice(0, 12)}`;
}

/** False: another process has it. The operating system releases the lock with the process, however it ends. */
export async function lock(stack: AsyncDisposableStack, path: string): Promise<boolean> {
  const file = stack.adopt(
    await Deno.open(path, { create: true, read: true, write: true }),
    (file) => file.close(),
  );
  return await file.tryLock(true);
}

/** The superuser's, made on the first run. */
export async function keptPassword(folder: string): Promise<string> {
  const path = `${folder}/password`;
  const kept = await readIfThere(path);
  if (kept) return kept;
  const password = crypto.getRandomValues(new Uint8Array(24)).toHex();
  await Deno.writeTextFile(path, password, { mode: 0o600 });
  return password;
}

/** Only a missing file reads as undefined: one that cannot be read is no reason to make another. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
}

export async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
