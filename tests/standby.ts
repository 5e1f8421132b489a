/** Copies of a running PostgreSQL that start as hot standbys; the embedded binaries have no pg_basebackup. */
import postgres from "postgres";

export interface CopiedServer {
  /** Superuser URL. */
  adminUrl: string;
  /** Folder of the embedded server, which has its data in the subfolder `postgres`. */
  folder: string;
}

/**
 * Copies the data of a running server, so that `startEmbedded` starts a hot standby of it in the folder.
 *
 * @returns the settings with which the standby has to start
 */
export async function copyAsStandby(primary: CopiedServer, folder: string): Promise<Record<string, string>> {
  const { username, password, port } = new URL(primary.adminUrl);
  const [from, to] = [`${primary.folder}/postgres`, `${folder}/postgres`];
  const write = async (path: string, text: string) => {
    await Deno.writeTextFile(path, text);
    const { uid, gid } = await Deno.stat(to);
    if (uid !== null && gid !== null) await Deno.chown(path, uid, gid); // the server does not run as root
  };
  const sql = postgres(primary.adminUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`select pg_backup_start('standby', true)`;
    await copyFiles(from, to);
    const [backup] = await sql`select labelfile from pg_backup_stop(false)`;
    await write(`${to}/backup_label`, backup?.labelfile);
    await write(`${to}/standby.signal`, "");
  } finally {
    await sql.end();
  }
  for (const name of ["postmaster.pid", "postmaster.opts"]) await Deno.remove(`${to}/${name}`);
  await Deno.copyFile(`${primary.folder}/password`, `${folder}/password`);
  return { primary_conninfo: `host=127.0.0.1 port=${port} user=${username} password=${password}` };
}

/** Copies the files with their owner. Files that the running server removes meanwhile are left out. */
async function copyFiles(from: string, to: string): Promise<void> {
  const { stderr } = await new Deno.Command("cp", { args: ["-a", from, to], env: { LC_ALL: "C" } }).output();
  const errors = new TextDecoder().decode(stderr).split("\n").filter((line) => line !== "");
  const other = errors.find((line) => !line.endsWith("No such file or directory"));
  if (other !== undefined) throw new Error(`Cannot copy the database: ${other}`);
}
