/** Files of an archive: gzip of one JSON object a line, and SHA256SUMS, which `sha256sum --check` reads. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { describeError } from "../lib/error_description.ts";

const SUMS = "SHA256SUMS";

/** A file cannot be read back as it was written. The message names it. */
export class ArchiveFileError extends Error {
  override name = "ArchiveFileError";
}

/** Returns the names of the files with a prefix in the order in which they were written, and the next name. */
export async function namesOf(folder: string, prefix: string): Promise<{ written: string[]; next: string }> {
  const written: string[] = [];
  for (let part = 1;; part++) {
    const name = `${prefix}.${part}.ndjson.gz`;
    if (!await exists(`${folder}/${name}`)) return { written, next: name };
    written.push(name);
  }
}

/** Writes a file completely or not at all. */
export async function writeLines(path: string, batches: AsyncIterable<string[]>): Promise<void> {
  const partial = `${path}.partial`;
  const text = Readable.from((async function* () {
    for await (const lines of batches) yield `${lines.join("\n")}\n`;
  })());
  await pipeline(text, createGzip(), createWriteStream(partial, { mode: 0o600 }));
  {
    using file = await Deno.open(partial, { write: true });
    await file.sync();
  }
  await Deno.rename(partial, path);
}

/**
 * Yields the lines of a file, up to `size` at once.
 *
 * @throws {ArchiveFileError} it is damaged
 */
export async function* readLines(path: string, size: number): AsyncGenerator<string[]> {
  const source = createReadStream(path);
  const gunzip = source.pipe(createGunzip());
  source.on("error", (error) => gunzip.destroy(error));
  let lines: string[] = [];
  try {
    for await (const line of createInterface({ input: gunzip, crlfDelay: Infinity })) {
      if (lines.push(line) < size) continue;
      yield lines;
      lines = [];
    }
  } catch (cause) {
    throw new ArchiveFileError(`Cannot read ${path}: ${describeError(cause)}`, { cause });
  } finally {
    source.destroy();
  }
  if (lines.length > 0) yield lines;
}

/** Adds the file to SHA256SUMS, unless it is there. */
export async function addSum(folder: string, name: string): Promise<void> {
  const sums = await Deno.readTextFile(`${folder}/${SUMS}`).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
  if (sums.split("\n").some((line) => line.endsWith(`  ${name}`))) return;
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(`${folder}/${name}`)) hash.update(chunk);
  using file = await Deno.open(`${folder}/${SUMS}`, { append: true, create: true, mode: 0o600 });
  await file.write(new TextEncoder().encode(`${hash.digest("hex")}  ${name}\n`));
  await file.sync();
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
}
