/** A copy of the contracts, on which a test runs `deno task proto`. */

const ROOT = new URL("../../", import.meta.url);
export const SERVICE = "proto/io/shopstar/customer/v1/customer_service.proto";

export async function copyContracts() {
  const folder = await Deno.makeTempDir({ prefix: "customer-service-contracts-" });
  for (const file of ["deno.json", "deno.lock", "package.json"]) {
    await Deno.copyFile(new URL(file, ROOT), `${folder}/${file}`);
  }
  for (const path of ["proto", "grpc/proto", "grpc/gen"]) await copyFolder(path, folder);
  return {
    async edit(path: string, change: (text: string) => string) {
      const text = await Deno.readTextFile(`${folder}/${path}`);
      if (change(text) === text) throw new Error("The edit found nothing to change");
      await Deno.writeTextFile(`${folder}/${path}`, change(text));
    },
    async task(...args: string[]) {
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", `${folder}/proto/task.ts`, ...args],
        cwd: folder,
        env: { PATH: "/nowhere", NO_COLOR: "1" },
      }).output();
      return { success, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

async function copyFolder(path: string, to: string): Promise<void> {
  await Deno.mkdir(`${to}/${path}`, { recursive: true });
  for await (const entry of Deno.readDir(new URL(path, ROOT))) {
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory) await copyFolder(below, to);
    else await Deno.copyFile(new URL(below, ROOT), `${to}/${below}`);
  }
}
