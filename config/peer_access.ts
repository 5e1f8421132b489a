/** TLS and token for calls to participants: the files of PEER_TLS_… and PEER_TOKEN_PATH. */
import { readAuthority, readIdentity } from "./certificates.ts";
import type { PeerAccessConfig } from "./mod.ts";
import { invalidFile, readVariableFile } from "./variable_file.ts";

export interface PeerAccess {
  /** PEM texts. */
  tls: { ca?: string; identity?: { certificate: string; key: string } };
  /** Rejects if the file contains no token. No message quotes its content. */
  token?: () => Promise<string>;
}

const FAILURE_PREFIX = "Cannot call participants";

/**
 * Reads the certificates once, and the token for each call because Kubernetes renews its file.
 *
 * @throws {ConfigError} a file cannot be read or is invalid
 */
export async function readPeerAccess({ ca, identity, tokenPath }: PeerAccessConfig): Promise<PeerAccess> {
  const variables = { certificate: "PEER_TLS_CERT", key: "PEER_TLS_KEY" };
  const tls = {
    ...(ca !== undefined && {
      ca: await readAuthority(ca, { failurePrefix: FAILURE_PREFIX, variable: "PEER_TLS_CA" }),
    }),
    ...(identity && { identity: await readIdentity(identity, FAILURE_PREFIX, variables) }),
  };
  if (tokenPath === undefined) return { tls };
  const token = () => readToken(tokenPath);
  await token();
  return { tls, token };
}

async function readToken(path: string): Promise<string> {
  const context = { failurePrefix: FAILURE_PREFIX, variable: "PEER_TOKEN_PATH" };
  const token = (await readVariableFile(path, context)).trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw invalidFile(context, "expected a file with a token");
}
