/** Verifies JSON Web Tokens: a signature by a key of the issuer, for us, in its time, about a principal. */
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from "jose";
import { DomainError } from "../actors/errors.ts";
import type { Principal } from "../actors/principal.ts";
import { principalOf, principalsElsewhere, TokenClaims, wrongClaim } from "./claims.ts";
import { remember } from "./remember.ts";

export interface VerifiedToken {
  readonly principal: Principal;
  /** The service that a SYSTEM token was issued to (claim client_id, RFC 9068). */
  readonly service: string | undefined;
  /** The same member of staff in every other store for which the token shows roles; absent where there is none. */
  readonly elsewhere?: readonly Principal[];
}

/**
 * @throws {DomainError} UNAUTHENTICATED: the token does not hold; the message says why and quotes nothing of it.
 * UNAVAILABLE: the issuer's keys cannot be had
 */
export type TokenVerifier = (token: string) => Promise<VerifiedToken>;

export interface TokenVerifierOptions {
  jwksUrl: URL;
  issuer: string;
  audience: string;
  /** How soon the keys may be read again when a token names an unknown one, in milliseconds. */
  cooldownMs?: number;
}

/** None of them symmetric: under one, whoever knows the public key could sign. */
const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];
/** Characters. Longer ones are refused unread. */
const MAX_LENGTH = 16_384;
/** For clocks that differ. */
const TOLERANCE_SECONDS = 5;
/** How long a key may count after the issuer has withdrawn it, remembered tokens a little longer. */
const KEYS_MAX_AGE_MS = 300_000;
const KEYS_TIMEOUT_MS = 3_000;

/** Verifies against the keys that the issuer publishes, which it may change at any time. */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const keys = createRemoteJWKSet(options.jwksUrl, {
    cooldownDuration: options.cooldownMs ?? 5_000,
    cacheMaxAge: KEYS_MAX_AGE_MS,
    timeoutDuration: KEYS_TIMEOUT_MS,
  });
  return createVerifier(reachable(keys), options);
}

/** @param key gives the key that a token's header names */
export function createVerifier(
  key: JWTVerifyGetKey,
  { issuer, audience }: { issuer: string; audience: string },
): TokenVerifier {
  const expected = {
    algorithms: ALGORITHMS,
    issuer,
    audience,
    requiredClaims: ["exp"],
    clockTolerance: TOLERANCE_SECONDS,
  };
  return remember(async (token) => {
    if (token.length > MAX_LENGTH) throw refusal(`it is longer than ${MAX_LENGTH} characters`);
    const { payload } = await jwtVerify(token, key, expected).catch((error) => {
      throw error instanceof DomainError ? error : refusal(reasonOf(error));
    });
    // jwtVerify has made sure of exp.
    return { verified: readToken(payload), expiresAt: Number(payload.exp) * 1_000 };
  });
}

function readToken(payload: JWTPayload): VerifiedToken {
  const { data, error } = TokenClaims.safeParse(payload);
  if (error) throw refusal(`claim ${wrongClaim(error)} is missing or malformed`);
  const principal = principalOf(data);
  const elsewhere = principalsElsewhere(data);
  return {
    principal,
    service: principal.type === "SYSTEM" ? data.client_id : undefined,
    ...(elsewhere.length > 0 && { elsewhere }),
  };
}

/** Tells a key that does not exist, which is the token's fault, from keys that cannot be read. */
function reachable(keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      const unknown = error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JWKSMultipleMatchingKeys;
      if (unknown) throw error;
      throw new DomainError("UNAVAILABLE", "Cannot verify the token: the issuer's keys cannot be read", {
        cause: error,
      });
    }
  };
}

/** The library's errors carry the claims, so neither they nor their messages are passed on. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "it has expired";
  if (error instanceof errors.JWTClaimValidationFailed) return `claim ${error.claim} is missing or refused`;
  return "it is not one that the issuer has signed";
}

function refusal(reason: string): DomainError {
  return new DomainError("UNAUTHENTICATED", `Cannot accept the token: ${reason}`);
}
