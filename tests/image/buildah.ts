/** buildah with a separate storage under `.data`. */

export interface ImageConfig {
  user: string;
  folder: string;
  env: Record<string, string>;
  entrypoint: string[];
  healthcheck: string[];
}

/** A command has failed. The message contains the end of its output. */
export class CommandFailed extends Error {
  override name = "CommandFailed";
}

export class Buildah {
  readonly #options: string[];

  /** @param folder persistent storage, which caches images between runs */
  constructor(folder: string, driver: "overlay" | "vfs") {
    this.#options = [
      "--root",
      `${folder}/${driver}`,
      "--runroot",
      `${folder}/run`,
      "--storage-driver",
      driver,
    ];
  }

  /** Trimmed output of the command. */
  run(command: string, ...args: string[]): Promise<string> {
    return run("buildah", [...this.#options, command, ...args], { BUILDAH_ISOLATION: "chroot" });
  }

  async has(image: string): Promise<boolean> {
    return await this.run("inspect", "--type", "image", image).then(() => true, () => false);
  }

  async config(image: string): Promise<ImageConfig> {
    const { config } = JSON.parse(await this.run("inspect", "--type", "image", image)).Docker;
    const env = (config.Env as string[]).map((line) => line.split(/=(.*)/s, 2));
    return {
      user: config.User,
      folder: config.WorkingDir,
      env: Object.fromEntries(env),
      entrypoint: config.Entrypoint,
      healthcheck: config.Healthcheck?.Test ?? [],
    };
  }

  /** Mounts the image's root file system as a folder, until disposal. */
  async mount(image: string): Promise<AsyncDisposable & { path: string }> {
    const container = await this.run("from", "--pull-never", image);
    const remove = () => this.run("rm", container);
    try {
      const path = await this.run("mount", container);
      return { path, [Symbol.asyncDispose]: async () => void await remove() };
    } catch (error) {
      await remove();
      throw error;
    }
  }
}

/** Storage driver: overlay if the kernel supports it here, otherwise full copies, for example inside a container. */
export async function openBuildah(folder: string): Promise<Buildah> {
  const overlay = new Buildah(folder, "overlay");
  try {
    const container = await overlay.run("from", "scratch");
    await overlay.run("mount", container).finally(() => overlay.run("rm", container));
    return overlay;
  } catch {
    return new Buildah(folder, "vfs");
  }
}

/** @throws {CommandFailed} */
export async function run(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, env }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (success) return text(stdout);
  const output = `${text(stdout)}\n${text(stderr)}`.trim().slice(-2_000);
  throw new CommandFailed(`${program} ${args.slice(0, 12).join(" ")} has failed:\n${output}`);
}
