// deno-lint-ignore-file no-console -- a task prints its result
/**
 * `deno task image`: builds the Dockerfile without a container engine and tests the image. With REQUIRE_IMAGE=1 it fails
 * on machines that cannot build it.
 */
import { prepareBase } from "./base.ts";
import { type Buildah, CommandFailed, openBuildah, run } from "./buildah.ts";
import { whatIsMissing } from "./container.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const IMAGE = "localhost/customer-service";

async function main(): Promise<number> {
  const missing = await whatIsMissing();
  if (missing) {
    console.log(`The image is not built: ${missing}`);
    return Deno.env.get("REQUIRE_IMAGE") === "1" ? 1 : 0;
  }
  const folder = `${ROOT}.data/image`;
  await Deno.mkdir(folder, { recursive: true });
  const buildah = await openBuildah(folder);
  const base = await prepareBase(buildah, (line) => console.log(line));
  console.log(`Building the Dockerfile on ${base} …`);
  await build(buildah, base);
  const config = await buildah.config(IMAGE);
  const [size, baseSize] = await Promise.all([IMAGE, base].map((image) => sizeOf(buildah, image)));
  console.log(`Built: ${size}, of which ${baseSize} are the base. Trying it …`);
  await using mounted = await buildah.mount(IMAGE);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "tests/run.ts", "tests/image/checks.ts"],
    cwd: ROOT,
    env: { TEST_IMAGE: JSON.stringify({ root: mounted.path, config }) },
  }).spawn().status;
  return code;
}

async function build(buildah: Buildah, base: string): Promise<void> {
  const registry = await run("npm", ["config", "get", "registry"]).catch(() => "");
  const args = [`DENO_IMAGE=${base}`, ...registry ? [`NPM_CONFIG_REGISTRY=${registry}`] : []];
  await buildah.run(
    "build",
    ...["--format", "docker", "--pull-never", "--tag", IMAGE],
    ...args.flatMap((arg) => ["--build-arg", arg]),
    ROOT,
  );
}

async function sizeOf(buildah: Buildah, image: string): Promise<string> {
  return await buildah.run("images", "--format", "{{.Size}}", image);
}

try {
  Deno.exitCode = await main();
} catch (error) {
  if (!(error instanceof CommandFailed)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
