/** Runs an image's command like a container: with its user and a read-only file system. */
import { run } from "./buildah.ts";
import type { ImageConfig } from "./buildah.ts";

export interface Image {
  /** Root file system. */
  root: string;
  config: ImageConfig;
}

/** The image that `deno task image` has built, from the environment. */
export function imageUnderTest(): Image {
  return JSON.parse(Deno.env.get("TEST_IMAGE") ?? "null") ?? missing();
}

function missing(): never {
  throw new Error("TEST_IMAGE is not set: run `deno task image`");
}

/**
 * Runs a command in the image, on this machine's network. It is process 1 of its namespace, has only /proc and /dev in
 * addition to the image, and only the passed variables.
 *
 * @param secrets a folder to mount at /run/secrets
 */
export function inContainer(
  { root, config }: Image,
  command: string[],
  { env = {}, secrets }: { env?: Record<string, string>; secrets?: string } = {},
): Deno.Command {
  const [uid = "", gid = ""] = config.user.split(":");
  const variables = Object.entries({ ...config.env, ...env }).flatMap(([name, value]) => [
    "--setenv",
    name,
    value,
  ]);
  return new Deno.Command("bwrap", {
    args: [
      ...["--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev"],
      ...secrets ? ["--tmpfs", "/run", "--ro-bind", secrets, "/run/secrets", "--remount-ro", "/run"] : [],
      ...["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1", "--die-with-parent"],
      ...["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"],
      ...["--clearenv", ...variables, "--chdir", config.folder],
      ...["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--no-new-privs"],
      ...command,
    ],
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "" },
    stdout: "piped",
    stderr: "piped",
  });
}

/** PID of the container's first process, because bwrap does not forward signals. */
export async function firstProcess(bwrap: number): Promise<number> {
  const children = await Deno.readTextFile(`/proc/${bwrap}/task/${bwrap}/children`);
  return Number(children.trim().split(" ")[0]);
}

/** Reason why no image can be built on this machine, if any. */
export async function whatIsMissing(): Promise<string | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "it requires root on Linux";
  for (const program of ["apt-get", "debootstrap", "buildah", "bwrap", "setpriv"]) {
    if (!(await run("sh", ["-c", `command -v ${program}`]).catch(() => ""))) {
      return `${program} is not installed (on Debian: apt-get install buildah debootstrap bubblewrap)`;
    }
  }
  return undefined;
}
