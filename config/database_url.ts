/** Validation of DATABASE_URL. */
import { isPath } from "./path.ts";

/** libpq's sslmode values. */
export const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const VERIFYING = ["require", "verify-ca", "verify-full"];

/**
 * Accepts URLs that the driver can parse, because it would quote an invalid one whole. Exactly one host, as a name or
 * an IPv4 address: the driver supports no other address, and retries endlessly while all of several hosts are down.
 * A root certificate is accepted only with an sslmode that verifies it.
 */
export function isPostgresUrl(url: string): boolean {
  const [, login = "", rest] = url.match(/^postgres(?:ql)?:\/\/([^@/?]*@)?[^/?,[\]]+(\/.+)$/) ?? [];
  try {
    decodeURIComponent(login + rest);
  } catch {
    return false;
  }
  if (rest === undefined || !URL.canParse(url)) return false;
  const { searchParams } = new URL(url);
  const modes = searchParams.getAll("sslmode");
  if (modes.length > 1 || !modes.every((mode) => SSL_MODES.includes(mode))) return false;
  const roots = searchParams.getAll("sslrootcert");
  return roots.length === 0 || (roots.length === 1 && isPath(roots[0]!) && verifies(modes[0]));
}

/** Whether the mode verifies the server's certificate against a given root certificate. */
export function verifies(sslMode: string | undefined): boolean {
  return sslMode !== undefined && VERIFYING.includes(sslMode);
}
