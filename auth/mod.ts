/** What the edges need to know who asks, as the configuration has it. */
import type { AuthConfig, TokenConfig } from "../config/mod.ts";
import { openDevelopmentIssuer } from "./development_issuer.ts";
import {
  authenticateByGateway,
  type Authenticator,
  createStoresAuthenticator,
  createTokenAuthenticator,
  type StoresAuthenticator,
} from "./principals.ts";
import { createTokenVerifier, type TokenVerifier } from "./token.ts";

export interface Auth {
  /** For HTTP. */
  authenticate: Authenticator;
  /** For pages whose reader chooses among stores. A gateway has chosen already. */
  authenticateInStores: StoresAuthenticator;
  /** For gRPC callers; undefined where none of them shows a token. */
  verifyToken: TokenVerifier | undefined;
}

/**
 * @param dataDirectory where the development issuer keeps its key
 * @throws {ConfigError} the development issuer's key cannot be read
 */
export async function openAuth(config: AuthConfig, dataDirectory: string): Promise<Auth> {
  if (config.mode === "jwt") {
    const verifyToken = await openVerifier(config.tokens, dataDirectory);
    return {
      authenticate: createTokenAuthenticator(verifyToken),
      authenticateInStores: createStoresAuthenticator(verifyToken),
      verifyToken,
    };
  }
  const verifyToken = config.tokens && await openVerifier(config.tokens, dataDirectory);
  return {
    authenticate: authenticateByGateway,
    authenticateInStores: async (headers) => [await authenticateByGateway(headers)],
    verifyToken,
  };
}

async function openVerifier(tokens: TokenConfig, dataDirectory: string): Promise<TokenVerifier> {
  if (tokens.from === "jwks") return createTokenVerifier(tokens);
  return (await openDevelopmentIssuer(dataDirectory)).verify;
}
