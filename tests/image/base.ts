/**
 * Base image that replaces denoland/deno if no container registry is reachable: a minimal system from this machine's
 * Debian, and the Deno of this process.
 */
import { type Buildah, run } from "./buildah.ts";

const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Builds the image on the first run. Returns its name. */
export async function prepareBase(buildah: Buildah, say: (line: string) => void): Promise<string> {
  const { codename, mirror } = await readRelease();
  const system = `localhost/${codename}:minbase`;
  const deno = `localhost/deno:${Deno.version.deno}`;
  if (await buildah.has(deno)) return deno;
  if (!(await buildah.has(system))) {
    say(`Fetching the smallest ${codename} …`);
    await again(3, () =>
      make(buildah, "scratch", system, async (root) => {
        await run("debootstrap", ["--variant=minbase", codename, root, mirror]);
        await Deno.remove(`${root}/var/cache/apt`, { recursive: true });
        await Deno.remove(`${root}/var/lib/apt/lists`, { recursive: true });
      }));
  }
  say(`Adding Deno ${Deno.version.deno} …`);
  await make(buildah, system, deno, async (root) => {
    await Deno.copyFile(await Deno.realPath(Deno.execPath()), `${root}/usr/bin/deno`);
    await Deno.mkdir(`${root}/etc/ssl/certs`, { recursive: true });
    await Deno.copyFile(CERTIFICATES, `${root}${CERTIFICATES}`).catch(() => {}); // Deno includes certificates too
  });
  return deno;
}

async function make(buildah: Buildah, from: string, to: string, fill: (root: string) => Promise<void>) {
  const container = await buildah.run("from", "--pull-never", from);
  try {
    await fill(await buildah.run("mount", container));
    // This machine's registries may use certificates that only it trusts.
    await buildah.run("config", "--env", `PATH=${PATH}`, "--env", "DENO_TLS_CA_STORE=system", container);
    await buildah.run("commit", "--quiet", container, to);
  } finally {
    await buildah.run("rm", container);
  }
}

/** Retries, because downloads from mirrors fail occasionally. */
async function again<T>(times: number, attempt: () => Promise<T>): Promise<T> {
  for (let left = times;; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left <= 1) throw error;
    }
  }
}

/** The mirror of this machine's packages. */
async function readRelease(): Promise<{ codename: string; mirror: string }> {
  const release = await Deno.readTextFile("/etc/os-release");
  const codename = release.match(/^VERSION_CODENAME=(\S+)$/m)?.[1] ?? "";
  const format = "$(CODENAME) $(COMPONENT) $(REPO_URI)";
  const sources = await run("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
  const mirror = sources.split("\n").map((line) => line.split(" ")).find(([name, component]) =>
    name === codename && component === "main"
  )?.[2];
  if (!codename || !mirror) throw new Error("Cannot find the mirror of the packages of this machine");
  return { codename, mirror };
}
