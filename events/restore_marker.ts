/**
 * Marker file: recognizes a restored database without Kafka. The file, which is outside of the database, and the
 * database contain the same random marker, and both are replaced after an erasure. A backup has an earlier marker.
 */
import { countErasures } from "../db/erased_subjects.ts";
import type { Sql } from "../db/connect.ts";
import { updateMarker, withMarker } from "../db/restore_marks.ts";

/**
 * Compares the markers, and replaces both after an erasure. A missing file is written.
 *
 * @param sql a pool of customer_worker
 * @returns whether the database lacks erasures that it had when the file was written
 */
export async function hasEarlierMarker(sql: Sql, path: string): Promise<boolean> {
  const erasures = await countErasures(sql);
  const isRestored = await withMarker(sql, async (marker, tx) => {
    const fileMarker = await readMarker(path);
    if (fileMarker !== undefined && fileMarker !== marker.current && fileMarker !== marker.next) return true;
    const isCurrent = fileMarker !== undefined && fileMarker === marker.current &&
      marker.erasures === erasures;
    if (!isCurrent) await updateMarker(tx, { ...marker, next: marker.next ?? crypto.randomUUID() });
    return false;
  });
  if (!isRestored) await writeNext(sql, path, erasures);
  return isRestored;
}

/** Writes a new marker to the file and the database, whatever they contain: they belong together from now on. */
export async function replaceMarker(sql: Sql, path: string): Promise<void> {
  const erasures = await countErasures(sql);
  await withMarker(sql, (marker, tx) => updateMarker(tx, { ...marker, next: crypto.randomUUID() }));
  await writeNext(sql, path, erasures);
}

/** Writes the next marker, which is stored already: after a crash the file contains the current or the next one. */
async function writeNext(sql: Sql, path: string, erasures: number): Promise<void> {
  await withMarker(sql, async ({ next }, tx) => {
    if (next === null) return;
    const draft = `${path}.${crypto.randomUUID()}`;
    try {
      await Deno.writeTextFile(draft, `${next}\n`, { createNew: true });
      await Deno.rename(draft, path);
    } catch (error) {
      await Deno.remove(draft).catch(() => {});
      throw error;
    }
    await updateMarker(tx, { current: next, next: null, erasures });
  });
}

async function readMarker(path: string): Promise<string | undefined> {
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  return text?.trim();
}
