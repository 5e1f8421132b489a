/** Suite of full disks: the tables are on a small file system in memory, and so is the write-ahead log later. */
import type { DatabaseServer } from "./database.ts";
import type { FaultKind } from "./faults.ts";
import { type Chaos, injectFault, pause } from "./schedule.ts";
import { askServer } from "./stack.ts";

const TABLES_MIB = 160;

/** A file system of limited size. Mounting it requires root on Linux. */
export async function mountDisk(): Promise<AsyncDisposable & { folder: string }> {
  const folder = await Deno.makeTempDir({ prefix: "customer-service-disk-" });
  await run("mount", ["-t", "tmpfs", "-o", `size=${TABLES_MIB}m,mode=777`, "tmpfs", folder]);
  return {
    folder,
    async [Symbol.asyncDispose]() {
      await run("umount", ["--lazy", folder]);
      await Deno.remove(folder);
    },
  };
}

async function run(command: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args }).output();
  if (!success) throw new Error(`Cannot run ${command}: ${new TextDecoder().decode(stderr).trim()}`);
}

/** Moves the tables of the service to the disk. */
export async function moveTables(database: DatabaseServer, folder: string): Promise<void> {
  const tables = `${folder}/tables`;
  await Deno.mkdir(tables);
  const { uid, gid } = await Deno.stat(`${database.folder}/postgres`);
  if (uid !== null && gid !== null) await Deno.chown(tables, uid, gid); // the server does not run as root
  await askServer(database, async (sql) => {
    await sql.unsafe(`create tablespace small location '${tables}'`);
  });
  const admin = Object.assign(new URL(database.adminUrl()), { pathname: "/postgres" }).href;
  const inOther = { ...database, adminUrl: () => admin };
  await askServer(
    inOther,
    async (sql) => void await sql.unsafe("alter database customers set tablespace small"),
  );
}

export async function injectFullDisks(chaos: Chaos, folder: string): Promise<void> {
  await pause(4_000);
  for (const holdMs of [12_000, 12_000]) {
    await injectFault(chaos, fullDisk(folder), { holdMs });
    await pause(4_000);
  }
}

const fullDisk = (folder: string): FaultKind => ({
  name: "disk of the tables full",
  resource: "database",
  holdMs: [0, 0],
  async begin() {
    const path = `${folder}/filler`;
    using file = await Deno.open(path, { create: true, write: true });
    const block = new Uint8Array(65_536);
    try {
      for (;;) await file.write(block);
    } catch { /* the disk is full */ }
    return {
      target: "PostgreSQL",
      async end() {
        await Deno.remove(path);
        return {};
      },
    };
  },
});
