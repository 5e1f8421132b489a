/** Runs buf and its code generator on the current Deno, in the versions of deno.json, so that only npm is required. */
import deno from "../deno.json" with { type: "json" };

const RUN = ["run", "-A", "--quiet"];

/** Folders of protos, and the folders of their generated code. */
export const MODULES = [
  { source: "proto", out: "proto/gen" },
  { source: "grpc/proto", out: "grpc/gen" },
] as const;

/** Options of `buf generate`, in the format of buf.gen.yaml. */
const template = (out: string) => ({
  version: "v2",
  clean: true,
  plugins: [{
    local: [Deno.execPath(), ...RUN, deno.imports["@bufbuild/protoc-gen-es"]],
    out,
    opt: ["target=ts", "import_extension=ts"],
  }],
});

/** Runs one buf command in the current folder and prints its output. Returns whether it succeeded. */
export async function buf(...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...RUN, deno.imports["@bufbuild/buf"], ...args],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return success;
}

/** Generates the code of every module into a folder. Returns whether that succeeded. */
export async function generate(folder: string): Promise<boolean> {
  for (const { source, out } of MODULES) {
    const done = await buf(
      "generate",
      source,
      "--template",
      JSON.stringify(template(out)),
      "--output",
      folder,
    );
    if (!done) return false;
  }
  return true;
}
