/** TLS options of a PostgreSQL connection: libpq's URL parameters converted for the driver and Node. */
import { checkServerIdentity, type PeerCertificate } from "node:tls";

/** Values of the driver's option `ssl`. */
export type Tls =
  | false
  /** Encrypted if the server supports it, without verification of its certificate. */
  | "prefer"
  /** Encrypted, without verification of the certificate. */
  | "require"
  | {
    /** PEM, instead of the authorities that Deno trusts. */
    ca?: string;
    rejectUnauthorized: true;
    checkServerIdentity(name: string, certificate: PeerCertificate): Error | undefined;
  };

/**
 * Removes the TLS parameters from the URL, since the driver reads them differently: it treats `verify-ca` and
 * `verify-full` alike, ignores root certificates, and verifies the certificate of a host given by its IP
 * address against the name localhost.
 *
 * @returns the driver's options, empty where the URL has no such parameters
 * @throws the file of sslrootcert cannot be read
 */
export function takeTls(url: URL): { ssl?: Tls } {
  const [mode, ssl, root] = ["sslmode", "ssl", "sslrootcert"].map((name) => {
    const value = url.searchParams.get(name);
    url.searchParams.delete(name);
    return value ?? undefined;
  });
  const requestedMode = mode ?? ssl;
  if (requestedMode === undefined) return {};
  if (requestedMode === "disable" || requestedMode === "false") return { ssl: false };
  if (requestedMode === "allow" || requestedMode === "prefer") return { ssl: "prefer" };
  if (requestedMode === "require" && root === undefined) return { ssl: "require" };
  const ca = root === undefined || root === "system" ? undefined : readRoot(root);
  // Without verification of its name, any holder of a publicly trusted certificate could impersonate the
  // server.
  const anyName = ca !== undefined && requestedMode !== "verify-full" && requestedMode !== "true";
  return {
    ssl: {
      ...(ca === undefined ? {} : { ca }),
      rejectUnauthorized: true,
      checkServerIdentity: (_, certificate) =>
        anyName ? undefined : checkServerIdentity(url.hostname, certificate),
    },
  };
}

/** Reads the file. Its error omits the path, which may be a secret that was set by mistake. */
function readRoot(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new Error(
      `Cannot read the file of sslrootcert: ${error instanceof Error ? error.name : "unknown"}`,
    );
  }
}
