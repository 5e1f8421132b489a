/** What a DATABASE_URL may be. */
import { isPath } from "./path.ts";

/** libpq's words for how far TLS is asked for, and how far the server has to prove itself. */
export const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const VERIFYING = ["require", "verify-ca", "verify-full"];

/**
 * What the driver can take apart: it would quote a wrong one whole. One host, by its name or IPv4 address: it knows
 * no other address, and while all of several hosts are away it asks them in a circle and answers nobody. A root
 * certificate only where it is used, since whoever gives one believes that the server is held against it.
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

/** Whether the server is held against a root certificate, where one is given. */
export function verifies(sslMode: string | undefined): boolean {
  return sslMode !== undefined && VERIFYING.includes(sslMode);
}
