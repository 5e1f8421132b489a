/** Token issuer for development. Its key stays in the data directory and is never published. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";
import { z } from "zod";
import { readOrGenerateFile } from "../config/generated_file.ts";
import { ConfigError } from "../config/mod.ts";
import { createVerifier, type TokenVerifier, type VerifiedToken } from "./token.ts";

export const DEVELOPMENT_ISSUER = "https://customer-service.localhost/development";
export const DEVELOPMENT_AUDIENCE = "customer-service";
const ALGORITHM = "EdDSA";
/** An access token: RFC 9068. */
const TYPE = "at+jwt";

const part = z.base64url().length(43);
const StoredKey = z.object({ kid: part, kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: part, d: part });

export interface DevelopmentIssuer {
  /** Issues a token that `verify` accepts for `ttlSeconds`. */
  sign(token: VerifiedToken, ttlSeconds: number): Promise<string>;
  verify: TokenVerifier;
}

/**
 * Opens the issuer with the key stored under `dataDirectory`, generated on first use.
 *
 * @throws {ConfigError} the file does not contain a key
 */
export async function openDevelopmentIssuer(dataDirectory: string): Promise<DevelopmentIssuer> {
  const { kid, ...jwk } = await readOrGenerateKey(dataDirectory);
  const { d: _private, ...publicJwk } = jwk;
  const [privateKey, publicKey] = await Promise.all([
    importJWK(jwk, ALGORITHM),
    importJWK(publicJwk, ALGORITHM),
  ]);
  return {
    sign: ({ principal, service, elsewhere = [] }, ttlSeconds) => {
      const now = Math.floor(Date.now() / 1_000);
      const claims = {
        store_id: principal.storeId,
        principal_type: principal.type,
        roles: [principal, ...elsewhere].flatMap(({ roles, storeId }) =>
          roles.map((role) => `${role}@${storeId}`)
        ),
        ...(principal.authenticatedAt && {
          auth_time: Math.floor(principal.authenticatedAt.getTime() / 1_000),
        }),
        ...(service === undefined ? {} : { client_id: service }),
      };
      return new SignJWT(claims)
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
        .setIssuer(DEVELOPMENT_ISSUER).setAudience(DEVELOPMENT_AUDIENCE).setSubject(principal.id)
        .setIssuedAt(now).setExpirationTime(now + ttlSeconds)
        .sign(privateKey);
    },
    verify: createVerifier(() => publicKey, {
      issuer: DEVELOPMENT_ISSUER,
      audience: DEVELOPMENT_AUDIENCE,
      types: [TYPE],
    }),
  };
}

async function readOrGenerateKey(dataDirectory: string): Promise<z.output<typeof StoredKey>> {
  const path = `${dataDirectory}/development-issuer.json`;
  const text = await readOrGenerateFile(path, generateKey);
  try {
    return StoredKey.parse(JSON.parse(text));
  } catch {
    throw new ConfigError(
      `Cannot read ${path}: it does not contain a key of this service. Delete it to generate one`,
    );
  }
}

async function generateKey(): Promise<string> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const jwk = await exportJWK(privateKey);
  return JSON.stringify({ kid: await calculateJwkThumbprint(jwk), ...jwk });
}
