/** TLS to PostgreSQL as a connection's URL asks for it, in libpq's words, made into what the driver and Node take. */
import { checkServerIdentity, type PeerCertificate } from "node:tls";

/** What the driver's option `ssl` can be. */
export type Tls =
  | false
  /** Encrypted where the server can, its certificate not looked at. */
  | "prefer"
  /** Encrypted, the certificate not looked at. */
  | "require"
  | {
    /** PEM, in place of the authorities that Deno knows. */
    ca?: string;
    rejectUnauthorized: true;
    checkServerIdentity(name: string, certificate: PeerCertificate): Error | undefined;
  };

/**
 * Takes the parameters about TLS out of the URL: of what the driver reads there itself, `verify-ca` and `verify-full`
 * are one to it, it knows no root certificate, and it holds the certificate of a host that is given by its address
 * against the name localhost.
 *
 * @returns the driver's options, none where the URL says nothing
 * @throws the file of sslrootcert cannot be read
 */
export function takeTls(url: URL): { ssl?: Tls } {
  const [mode, ssl, root] = ["sslmode", "ssl", "sslrootcert"].map((name) => {
    const value = url.searchParams.get(name);
    url.searchParams.delete(name);
    return value ?? undefined;
  });
  const asked = mode ?? ssl;
  if (asked === undefined) return {};
  if (asked === "disable" || asked === "false") return { ssl: false };
  if (asked === "allow" || asked === "prefer") return { ssl: "prefer" };
  if (asked === "require" && root === undefined) return { ssl: "require" };
  const ca = root === undefined || root === "system" ? undefined : readRoot(root);
  // Any holder of a certificate that the world trusts could pass for the server, were its name not looked at.
  const anyName = ca !== undefined && asked !== "verify-full" && asked !== "true";
  return {
    ssl: {
      ...(ca === undefined ? {} : { ca }),
      rejectUnauthorized: true,
      checkServerIdentity: (_, certificate) =>
        anyName ? undefined : checkServerIdentity(url.hostname, certificate),
    },
  };
}

/** Deno's own message repeats the path, in whose place somebody may have put what is secret. */
function readRoot(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new Error(
      `Cannot read the file of sslrootcert: ${error instanceof Error ? error.name : "unknown"}`,
    );
  }
}
