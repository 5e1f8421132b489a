/** Builds the samples in Go, Java and Python, generated code included. The network is needed only the first time. */
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

/**
 * The programs of `examples/python`, by name, in a virtual environment.
 *
 * @throws {ToolMissing}
 */
export async function buildPython(): Promise<(name: string) => Program> {
  const cwd = new URL("python/", EXAMPLES);
  await require("python3", ["-c", "import ensurepip, venv"], cwd);
  const environment = new URL("python/", CACHE).pathname;
  const python = `${environment}bin/python`;
  await build("python3", ["-m", "venv", environment], cwd);
  await build(python, ["-m", "pip", "install", "--quiet", "--requirement", "requirements.txt"], cwd);
  await build(python, ["generate.py"], cwd);
  return (name) => ({ program: python, args: ["-B", new URL(`${name}.py`, cwd).pathname] });
}

async function require(program: string, args: string[], cwd: URL): Promise<void> {
  const command = new Deno.Command(program, { args, cwd, stdin: "null", stdout: "null", stderr: "null" });
  try {
    if ((await command.output()).success) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw new ToolMissing(`${program} is not installed`);
}

async function build(program: string, args: string[], cwd: URL): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd, stdin: "null" }).output();
  if (success) return;
  const output = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim()).join("\n");
  throw new Error(`Cannot build ${cwd.pathname}: ${program} ${args.join(" ")} fails\n${output}`);
}
