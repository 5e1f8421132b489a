/** h2spec, the conformance tests of HTTP/2 servers: built once with Go, run against a port, read from its report. */

/** The folder whose go.mod pins the program. */
const MODULE = new URL("h2spec/", import.meta.url);
const PACKAGE = "github.com/summerwind/h2spec/cmd/h2spec";
const CACHE = new URL("../../.data/h2spec/", import.meta.url);

/** Reason why h2spec cannot run here, in a sentence for the person who runs the tests. */
export class GoMissing extends Error {
  override name = "GoMissing";
}

/**
 * The path of the program. Go and the network are needed only the first time.
 *
 * @throws {GoMissing}
 */
export async function findH2spec(): Promise<string> {
  return await buildOnce({ module: MODULE, target: PACKAGE, cache: CACHE });
}

export interface GoProgram {
  /** The folder with go.mod. */
  module: URL;
  /** The package to build: its path, or "." for the module's own. */
  target: string;
  cache: URL;
}

/**
 * Builds a program unless its sources are those of an earlier build. Two runs at once each build a file of their own,
 * and the first one to be complete stays.
 *
 * @throws {GoMissing}
 */
export async function buildOnce({ module, target, cache }: GoProgram): Promise<string> {
  const program = new URL(await digestOf(module), cache).pathname;
  if (await Deno.stat(program).then(() => true, () => false)) return program;
  await Deno.mkdir(cache, { recursive: true });
  const unfinished = `${program}.${Deno.pid}`;
  const { success, stderr } = await go(["build", "-mod=readonly", "-o", unfinished, target], module);
  if (!success) throw new GoMissing(`Go cannot build ${target}: ${stderr.trim().split("\n").at(-1)}`);
  await Deno.rename(unfinished, program);
  return program;
}

async function digestOf(module: URL): Promise<string> {
  const names = [...Deno.readDirSync(module)].map(({ name }) => name).filter((name) =>
    /\.go$|^go\./.test(name)
  );
  const texts = await Promise.all(names.sort().map((name) => Deno.readTextFile(new URL(name, module))));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(texts.join("\0")));
  return new Uint8Array(digest).toHex().slice(0, 12);
}

async function go(args: string[], cwd: URL) {
  try {
    const { success, stderr } = await new Deno.Command("go", { args, cwd, stdin: "null" }).output();
    return { success, stderr: new TextDecoder().decode(stderr) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new GoMissing("h2spec and the client in Go are built with Go: go is not installed");
  }
}

export interface Conformance {
  passed: string[];
  /** Cases that do not apply to what the server answers. */
  skipped: string[];
  /** Each case as "section/number: requirement", with what was expected and seen. */
  failed: string[];
}

export interface H2specOptions {
  port: number;
  tls?: boolean;
  /** Time that a case waits for the server, in seconds. */
  timeoutSeconds?: number;
}

/** Runs every case, the strict ones included. */
export async function runH2spec(
  program: string,
  { port, tls, timeoutSeconds = 2 }: H2specOptions,
): Promise<Conformance> {
  const report = await Deno.makeTempFile({ prefix: "customer-service-h2spec-", suffix: ".xml" });
  try {
    const args = ["-h", "127.0.0.1", "-p", `${port}`, "-o", `${timeoutSeconds}`, "-S", "-j", report];
    const { stdout, stderr } = await new Deno.Command(program, {
      args: [...args, ...tls ? ["-t", "-k"] : []],
    })
      .output();
    const results = readReport(await Deno.readTextFile(report));
    if (results.passed.length + results.failed.length > 0) return results;
    // h2spec writes no report when it can connect no more.
    const last = new TextDecoder().decode(stdout).split(/^\s*(?=\d+: )/m).at(-1);
    throw new Error(`h2spec has been cut short: ${new TextDecoder().decode(stderr)} ${last}`);
  } finally {
    await Deno.remove(report);
  }
}

/** Reads h2spec's JUnit report. */
export function readReport(xml: string): Conformance {
  const results: Conformance = { passed: [], skipped: [], failed: [] };
  const cases = /<testcase package="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs;
  for (const [, section = "", requirement = "", body = ""] of xml.matchAll(cases)) {
    const name = `${section}: ${unescape(requirement)}`;
    if (/<failure|<error/.test(body)) {
      const said = unescape(body.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ").trim());
      results.failed.push(said ? `${name} (${said})` : name);
    } else if (/<skipped/.test(body)) results.skipped.push(name);
    else results.passed.push(name);
  }
  return results;
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#34": '"', "#39": "'" };

function unescape(text: string): string {
  return text.replaceAll(/&(#?\w+);/g, (whole, name) => ENTITIES[name] ?? whole);
}
