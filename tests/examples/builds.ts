/** Builds the samples in Go and Java, generated code included. The network is needed only the first time. */
import deno from "../../deno.json" with { type: "json" };
import { EXAMPLES } from "./setting.ts";

const CACHE = new URL("../../.data/examples/", import.meta.url);

/** The samples cannot be built here; the message says what is missing. */
export class ToolMissing extends Error {
  override name = "ToolMissing";
}

export interface Program {
  program: string;
  args: string[];
}

/**
 * The programs of `examples/go/cmd`, by name.
 *
 * @throws {ToolMissing}
 */
export async function buildGo(): Promise<(name: string) => Program> {
  const cwd = new URL("go/", EXAMPLES);
  await require("go", ["version"], cwd);
  await build(Deno.execPath(), ["run", "-A", "--quiet", deno.imports["@bufbuild/buf"], "generate"], cwd);
  const out = new URL("go/", CACHE).pathname;
  await Deno.mkdir(out, { recursive: true });
  await build("go", ["vet", "-mod=readonly", "./..."], cwd);
  await build("go", ["build", "-mod=readonly", "-o", out, "./cmd/..."], cwd);
  return (name) => ({ program: `${out}${name}`, args: [] });
}

/**
 * The Quarkus applications of `examples/java`, by name.
 *
 * @throws {ToolMissing}
 */
export async function buildJava(): Promise<(name: string) => Program> {
  const folder = new URL("java/", EXAMPLES);
  await require("mvn", ["--version"], folder);
  const jar = (name: string) => new URL(`${name}/target/quarkus-app/quarkus-run.jar`, folder).pathname;
  for (const name of ["checkout", "participant"]) {
    await build("mvn", ["--quiet", "--batch-mode", "package"], new URL(`${name}/`, folder));
  }
  return (name) => ({ program: "java", args: ["-Dfile.encoding=UTF-8", "-jar", jar(name)] });
}

async function require(program: string, args: string[], cwd: URL): Promise<void> {
  try {
    await new Deno.Command(program, { args, cwd, stdin: "null", stdout: "null", stderr: "null" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ToolMissing(`${program} is not installed`);
  }
}

async function build(program: string, args: string[], cwd: URL): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd, stdin: "null" }).output();
  if (success) return;
  const output = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim()).join("\n");
  throw new Error(`Cannot build ${cwd.pathname}: ${program} ${args.join(" ")} fails\n${output}`);
}
