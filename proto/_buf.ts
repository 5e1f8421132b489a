/** Runs buf where there may be nothing but npm: this very Deno runs it, and the code generator, at deno.json's versions. */
import deno from "../deno.json" with { type: "json" };

const RUN = ["run", "-A", "--quiet"];

/** Folders of protos, and the folders that the code made of them goes to. */
export const MODULES = [
  { source: "proto", out: "proto/gen" },
  { source: "grpc/proto", out: "grpc/gen" },
] as const;

/** What `buf generate` writes, as a buf.gen.yaml would say it. */
const template = (out: string) => ({
  version: "v2",
  clean: true,
  plugins: [{
    local: [Deno.execPath(), ...RUN, deno.imports["@bufbuild/protoc-gen-es"]],
    out,
    opt: ["target=ts", "import_extension=ts"],
  }],
});

/** Runs one buf command in the current folder, its complaints on our own output; tells whether it was content. */
export async function buf(...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...RUN, deno.imports["@bufbuild/buf"], ...args],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return success;
}

/** Writes the generated code of every module below a folder. */
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
