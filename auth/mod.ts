/** Authentication of HTTP and gRPC callers, as configured. */
import type { AuthConfig, GrpcAuthConfig, TokenConfig } from "../config/mod.ts";
import { readAuthority } from "../config/certificates.ts";
import type { CallerProof } from "./callers.ts";
import {
  type Authenticator,
  createGatewayAuthenticator,
  createStoresAuthenticator,
  createTokenAuthenticator,
  type StoresAuthenticator,
} from "./principals.ts";
import { createTokenVerifier, type TokenVerifier } from "./token.ts";

export interface Auth {
  /** For HTTP. */
  authenticate: Authenticator;
  /** For pages on which staff choose a store. A gateway has already chosen one. */
  authenticateInStores: StoresAuthenticator;
  /** For gRPC callers; undefined if they do not authenticate by token. */
  verifyToken: TokenVerifier | undefined;
}

/**
 * @param dataDirectory folder of the development issuer's key
 * @throws {ConfigError} the development issuer's key cannot be read
 */
export async function openAuth(config: AuthConfig, dataDirectory: string): Promise<Auth> {
  if (config.mode === "jwt") {
    const verifyToken = await openVerifier(config.tokens, dataDirectory);
    return {
      authenticate: createTokenAuthenticator(verifyToken, config.clients),
      authenticateInStores: createStoresAuthenticator(verifyToken, config.clients),
      verifyToken,
    };
  }
  const verifyToken = config.tokens && await openVerifier(config.tokens, dataDirectory);
  const authenticate = createGatewayAuthenticator(config.secrets, config.clients);
  return {
    authenticate,
    authenticateInStores: async (headers) => [await authenticate(headers)],
    verifyToken,
  };
}

/** Settings of the configured authentication of gRPC callers. */
export function callerProof(config: GrpcAuthConfig, { verifyToken }: Pick<Auth, "verifyToken">): CallerProof {
  if (config.mode !== "token") return config;
  if (!verifyToken) throw new Error("GRPC_AUTH=token without an issuer passed the validation");
  return { mode: "token", verifyToken, clients: config.clients };
}

async function openVerifier(tokens: TokenConfig, dataDirectory: string): Promise<TokenVerifier> {
  if (tokens.from === "jwks") {
    const { jwksCa, ...options } = tokens;
    if (jwksCa === undefined) return createTokenVerifier(options);
    const context = { failurePrefix: "Cannot read the keys of tokens", variable: "JWT_JWKS_CA" };
    return createTokenVerifier({ ...options, jwksCa: await readAuthority(jwksCa, context) });
  }
  const { openDevelopmentIssuer } = await import("./development_issuer.ts"); // production never loads it
  return (await openDevelopmentIssuer(dataDirectory)).verify;
}
