/** What peers are shown of this service, and how it knows them: the files behind PEER_TLS_… and PEER_TOKEN_PATH. */
import { readAuthority, readIdentity } from "./certificates.ts";
import type { PeerAccessConfig } from "./mod.ts";
import { readNamed, wrong } from "./named_file.ts";

export interface PeerAccess {
  /** PEM texts. */
  tls: { ca?: string; identity?: { certificate: string; key: string } };
  /** Rejects where the file has no token now; what it holds is in no message. */
  token?: () => Promise<string>;
}

const PURPOSE = "Cannot call peers";

/**
 * Certificates are read once; a token is read for each call, since Kubernetes renews its file.
 *
 * @throws {ConfigError} a file cannot be used as things are now
 */
export async function readPeerAccess({ ca, identity, tokenPath }: PeerAccessConfig): Promise<PeerAccess> {
  const variables = { certificate: "PEER_TLS_CERT", key: "PEER_TLS_KEY" };
  const tls = {
    ...(ca !== undefined && {
      ca: await readAuthority(ca, { purpose: PURPOSE, variable: "PEER_TLS_CA" }),
    }),
    ...(identity && { identity: await readIdentity(identity, PURPOSE, variables) }),
  };
  if (tokenPath === undefined) return { tls };
  const token = () => readToken(tokenPath);
  await token();
  return { tls, token };
}

async function readToken(path: string): Promise<string> {
  const named = { purpose: PURPOSE, variable: "PEER_TOKEN_PATH" };
  const token = (await readNamed(path, named)).trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw wrong(named, "expected a file with a token");
}
