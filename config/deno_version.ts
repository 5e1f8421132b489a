/** Which releases of Deno the service must not run on. */
import { ConfigError } from "./mod.ts";

const BROKEN = ["2.9.4", "2.9.5", "2.9.6"];

/**
 * @param version as `Deno.version.deno` gives it
 * @throws {ConfigError} the release corrupts memory under gRPC load
 */
export function refuseBrokenDeno(version: string): void {
  if (!BROKEN.includes(version)) return;
  throw new ConfigError(
    `Cannot start on Deno ${version}: its node:http2, which gRPC needs, corrupts memory under load ` +
      "(https://github.com/denoland/deno/issues/36788). Use Deno 2.9.3: npx -y deno@2.9.3 task start",
  );
}
