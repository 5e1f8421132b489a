/** Data folder of the embedded PostgreSQL, its lock and its password. */
import { sha256 } from "../lib/hash.ts";

/**
 * Returns the absolute path of the folder, since the server's programs run in it. For root it is a folder
 * that an unprivileged process can enter, if necessary under /var/tmp.
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

/**
 * Locks the folder. Returns false if another process holds the lock. The operating system releases it when
 * the process ends.
 */
export async function lock(stack: AsyncDisposableStack, path: string): Promise<boolean> {
  const file = stack.adopt(
    await Deno.open(path, { create: true, read: true, write: true }),
    (file) => file.close(),
  );
  return await file.tryLock(true);
}

/** Returns the superuser's password, created on the first run. */
export async function keptPassword(folder: string): Promise<string> {
  const path = `${folder}/password`;
  const existingPassword = await readIfThere(path);
  if (existingPassword) return existingPassword;
  const password = crypto.getRandomValues(new Uint8Array(24)).toHex();
  await Deno.writeTextFile(path, password, { mode: 0o600 });
  return password;
}

/** Returns undefined for a missing file only: an unreadable one must not be replaced. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
}

export async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
