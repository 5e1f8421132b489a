/** Vendored packages: the files that npm publishes, our patches, and the comparison with the folders of vendor/. */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { applyPatch, createPatch } from "./patch.ts";
import { type FetchOptions, publishedFolders } from "./published.ts";

interface Vendored {
  /** The folder below vendor/. */
  folder: string;
  /** As `name@version`. Its integrity is in vendor/npm.lock. */
  npm: string;
  /** Paths inside the package. */
  files: readonly string[];
  /** Whether vendor/FOLDER.patch is applied to the files. */
  patched?: boolean;
}

const VENDORED: readonly Vendored[] = [
  {
    folder: "idiomorph",
    npm: "idiomorph@0.8.0",
    files: ["LICENSE", "package.json", "dist/idiomorph.esm.js"],
  },
  {
    folder: "postgres",
    npm: "postgres@3.4.9",
    files: [
      "package.json",
      ...["bytes", "connection", "errors", "index", "large", "query", "queue", "result", "subscribe", "types"]
        .map((name) => `src/${name}.js`),
      "types/index.d.ts",
    ],
    patched: true,
  },
];

/** One file of a package with more than a hundred dependencies, which Deno would have to resolve first. */
const SCALAR = "scalar/standalone.js";

/** Replaces the folders of vendor/ with the published files plus our patches. */
export async function writePublished(vendor: string): Promise<void> {
  await inTemporaryFolder(async (temporary) => {
    await rebuild(vendor, temporary, { frozen: false });
    for (const { folder } of VENDORED) {
      await Deno.remove(join(vendor, folder), { recursive: true }).catch(() => {});
      await copyAll(join(temporary, folder), join(vendor, folder));
    }
  });
}

/** Writes vendor/FOLDER.patch: what turns the published files into those of the folder. */
export async function writePatches(vendor: string): Promise<void> {
  const published = await publishedFolders(vendor, VENDORED.map(({ npm }) => npm), { frozen: true });
  for (const { folder, npm, files, patched } of VENDORED) {
    if (!patched) continue;
    await inTemporaryFolder(async (temporary) => {
      await copy(files, published.get(npm)!, join(temporary, "published"));
      await copyAll(join(vendor, folder), join(temporary, "vendored"));
      await Deno.writeTextFile(join(vendor, `${folder}.patch`), await createPatch(temporary));
    });
  }
}

/**
 * One sentence for each file of vendor/ that is not the published one plus our patch.
 *
 * @param env variables for Deno, which fetches the packages
 */
export async function findDifferences(vendor: string, env?: Record<string, string>): Promise<string[]> {
  return await inTemporaryFolder(async (temporary) => {
    await rebuild(vendor, temporary, { frozen: true, env });
    const differences = await Promise.all(VENDORED.map(async ({ folder, npm, patched }) => {
      const [present, expected] = await Promise.all([
        contents(join(vendor, folder)),
        contents(join(temporary, folder)),
      ]);
      const source = patched ? `${npm} plus vendor/${folder}.patch` : npm;
      return [...new Set([...present.keys(), ...expected.keys()])]
        .filter((path) => present.get(path) !== expected.get(path))
        .map((path) =>
          `vendor/${folder}/${path} is not the file of ${source}; vendor/README.md says how to edit it`
        );
    }));
    return [...differences.flat(), ...await findScalarDifference(vendor)];
  });
}

async function findScalarDifference(vendor: string): Promise<string[]> {
  const expected = (await Deno.readTextFile(join(vendor, `${SCALAR}.sha256`))).split(" ")[0];
  const file = gunzipSync(await Deno.readFile(join(vendor, `${SCALAR}.gz`)));
  const hash = createHash("sha256").update(file).digest("hex");
  if (hash === expected) return [];
  return [`vendor/${SCALAR}.gz unpacks to the SHA-256 ${hash}, not to that of vendor/${SCALAR}.sha256`];
}

async function rebuild(vendor: string, target: string, options: FetchOptions): Promise<void> {
  const published = await publishedFolders(vendor, VENDORED.map(({ npm }) => npm), options);
  for (const { folder, npm, files, patched } of VENDORED) {
    await copy(files, published.get(npm)!, join(target, folder));
    if (patched) await applyPatch(join(vendor, `${folder}.patch`), join(target, folder));
  }
}

async function copy(files: readonly string[], from: string, to: string): Promise<void> {
  for (const file of files) {
    await Deno.mkdir(dirname(join(to, file)), { recursive: true });
    // Not copyFile: the files of Deno's cache may be read-only.
    await Deno.writeFile(join(to, file), await Deno.readFile(join(from, file)));
  }
}

async function copyAll(from: string, to: string): Promise<void> {
  await copy([...(await contents(from)).keys()], from, to);
}

/** The content of each file below a folder, as hex, by its path from there. */
async function contents(folder: string, path = ""): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(join(folder, path))) {
    const inner = join(path, name);
    if (isDirectory) { for (const [file, hex] of await contents(folder, inner)) hashes.set(file, hex); }
    else hashes.set(inner, (await Deno.readFile(join(folder, inner))).toHex());
  }
  return hashes;
}

async function inTemporaryFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "customer-service-vendor-" });
  try {
    return await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
