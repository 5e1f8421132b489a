/** Foreign gRPC clients for tests, one for each language: made ready once, then run against a port. */
import { buildOnce, GoMissing } from "../h2spec.ts";

const HERE = new URL("./", import.meta.url);
const CACHE = new URL("../../../.data/interop/", import.meta.url);

/** Reason why a client cannot run here, in a sentence for the person who runs the tests. */
export class ToolMissing extends Error {
  override name = "ToolMissing";
}

export interface Client {
  language: string;
  /**
   * Program and arguments that run the client against a port. The network is needed only the first time.
   *
   * @throws {ToolMissing | GoMissing}
   */
  prepare(): Promise<(port: number) => [program: string, args: string[], env?: Record<string, string>]>;
}

export const CLIENTS: Client[] = [
  {
    language: "Node",
    async prepare() {
      const folder = await nodeFolder();
      return (port) => ["node", [`${folder}/client.mjs`, `127.0.0.1:${port}`]];
    },
  },
  {
    language: "Python",
    async prepare() {
      const folder = await once("python", ["requirements.txt"], async (folder, source) => {
        const requirements = new URL("requirements.txt", source).pathname;
        const options = ["--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
        await run("python3", ["-m", "pip", "install", ...options, `--target=${folder}`, "-r", requirements]);
      });
      const script = new URL("python/client.py", HERE).pathname;
      return (port) => ["python3", ["-B", script, `127.0.0.1:${port}`], { PYTHONPATH: folder }];
    },
  },
  {
    language: "Go",
    async prepare() {
      const program = await buildOnce({
        module: new URL("go/", HERE),
        target: ".",
        cache: new URL("go/", CACHE),
      });
      return (port) => [program, [`127.0.0.1:${port}`]];
    },
  },
  {
    language: "Java",
    async prepare() {
      const folder = await once("java", ["pom.xml", "Client.java"], async (folder, source) => {
        const pom = new URL("pom.xml", source).pathname;
        const copy = [
          "dependency:copy-dependencies",
          "-DincludeScope=runtime",
          `-DoutputDirectory=${folder}`,
        ];
        await run("mvn", ["--quiet", "--batch-mode", "--file", pom, ...copy]);
        const client = new URL("Client.java", source).pathname;
        await run("javac", ["-encoding", "UTF-8", "-cp", `${folder}/*`, "-d", folder, client]);
      });
      return (port) => ["java", ["-cp", `${folder}/*:${folder}`, "Client", "127.0.0.1", `${port}`]];
    },
  },
];

export { GoMissing };

const NODE_FILES = ["package.json", "client.mjs", "server.mjs"];

/**
 * The folder of the programs for Node, with their packages.
 *
 * @throws {ToolMissing}
 */
export function nodeFolder(): Promise<string> {
  return once("node", NODE_FILES, async (folder, source) => {
    for (const name of NODE_FILES) await Deno.copyFile(new URL(name, source), `${folder}/${name}`);
    await run("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefix", folder]);
  });
}

/**
 * A folder that `fill` has filled, named after the sources that it depends on. Two runs at once each fill a folder of
 * their own, and the first one to be complete stays.
 */
async function once(
  language: string,
  sources: readonly string[],
  fill: (folder: string, source: URL) => Promise<void>,
): Promise<string> {
  const source = new URL(`${language}/`, HERE);
  const texts = await Promise.all(sources.map((name) => Deno.readTextFile(new URL(name, source))));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(texts.join("\0")));
  const folder = new URL(`${language}/${new Uint8Array(digest).toHex().slice(0, 12)}`, CACHE).pathname;
  if (await Deno.stat(folder).then(() => true, () => false)) return folder;
  const unfinished = `${folder}.${crypto.randomUUID()}`; // the test files of a run share a process
  await Deno.mkdir(unfinished, { recursive: true });
  try {
    await fill(unfinished, source);
    await Deno.rename(unfinished, folder);
  } catch (error) {
    await Deno.remove(unfinished, { recursive: true });
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  return folder;
}

async function run(program: string, args: string[]): Promise<void> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
    if (success) return;
    const said = [stderr, stdout].map((bytes) => new TextDecoder().decode(bytes).trim().split("\n").at(-1))
      .join(" ");
    throw new ToolMissing(`${program} fails: ${said}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ToolMissing(`${program} is not installed`);
  }
}
