/** Verifies JSON Web Tokens: signature, issuer, audience, type, expiry and claims. */
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from "jose";
import { DomainError } from "../domain/errors.ts";
import type { Principal } from "../domain/principal.ts";
import { principalOf, principalsInOtherStores, TokenClaims, wrongClaim } from "./claims.ts";
import { InvalidTokenError } from "./refusals.ts";
import { cacheVerified } from "./token_cache.ts";

export interface VerifiedToken {
  readonly principal: Principal;
  /** The service that a SYSTEM token was issued to (claim client_id, RFC 9068). */
  readonly service: string | undefined;
  /** The same staff member in the other stores in which the token grants roles; absent if there are none. */
  readonly elsewhere?: readonly Principal[];
}

/**
 * @throws {DomainError} UNAUTHENTICATED: the token is invalid; the message gives the reason and quotes nothing of it.
 * UNAVAILABLE: the issuer's keys cannot be read. RATE_LIMITED: the address has sent too many invalid tokens
 * @param address network address of the caller
 */
export type TokenVerifier = (token: string, address?: string) => Promise<VerifiedToken>;

/** Claims and types that a token must have. */
export interface ExpectedToken {
  issuer: string;
  audience: string;
  /** Accepted values of the header parameter `typ`, with or without `application/`; "none": no `typ`. */
  types: readonly string[];
}

export interface TokenVerifierOptions extends ExpectedToken {
  jwksUrl: URL;
  /** PEM: certificate authorities to trust instead of the default ones when the keys are read. */
  jwksCa?: string;
  /** Minimum time between reads of the keys when a token names an unknown one, in milliseconds. */
  cooldownMs?: number;
}

/** Asymmetric algorithms only. With a symmetric one anyone who knows the public key could sign. */
export const ALGORITHMS = [
  ...["RS256", "RS384", "RS512"],
  ...["PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512"],
  ...["EdDSA", "Ed25519"],
];
/** Characters of a token. Longer ones are refused without parsing. */
const MAX_LENGTH = 16_384;
/** Allowed clock difference. */
const TOLERANCE_SECONDS = 5;
/** A later expiry is a mistake of the issuer. Ended sessions are stored until their token expires. */
const MAX_LIFETIME_SECONDS = 366 * 24 * 60 * 60;
/** Maximum time that a withdrawn key stays accepted. Cached tokens last a little longer. */
const KEYS_MAX_AGE_MS = 300_000;
const KEYS_TIMEOUT_MS = 3_000;

/** Verifies tokens with the keys that the issuer publishes and may rotate at any time. */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const keys = createRemoteJWKSet(options.jwksUrl, {
    cooldownDuration: options.cooldownMs ?? 5_000,
    cacheMaxAge: KEYS_MAX_AGE_MS,
    timeoutDuration: KEYS_TIMEOUT_MS,
    ...(options.jwksCa !== undefined && { [customFetch]: trusting(options.jwksCa) }),
  });
  return createVerifier(withAvailability(keys), options);
}

function trusting(ca: string): FetchImplementation {
  const client = Deno.createHttpClient({ caCerts: [ca] });
  return (url, init) => fetch(url, { ...init, client });
}

/** @param key returns the key that a token's header names */
export function createVerifier(
  key: JWTVerifyGetKey,
  { issuer, audience, types }: ExpectedToken,
): TokenVerifier {
  const expected = {
    algorithms: ALGORITHMS,
    issuer,
    audience,
    requiredClaims: ["exp"],
    clockTolerance: TOLERANCE_SECONDS,
  };
  const accepted = types.map(normalizeType);
  return cacheVerified(async (token) => {
    if (token.length > MAX_LENGTH) throw new InvalidTokenError(`it is longer than ${MAX_LENGTH} characters`);
    if (!COMPACT.test(token)) throw new InvalidTokenError(NOT_SIGNED);
    const { payload, protectedHeader } = await verifySignature(token, key, expected).catch((error) => {
      throw error instanceof DomainError ? error : new InvalidTokenError(reasonOf(error));
    });
    const type = typeOf(protectedHeader);
    if (type === undefined || !accepted.includes(type)) {
      throw new InvalidTokenError(`its typ is not ${types.join(" or ")}`);
    }
    const expiry = Number(payload.exp); // jwtVerify has checked that it is a number
    if (expiry > Date.now() / 1_000 + MAX_LIFETIME_SECONDS) {
      throw new InvalidTokenError("claim exp is missing or more than a year away");
    }
    return { verified: readToken(payload), expiresAt: expiry * 1_000 };
  });
}

/** JWS compact serialization (RFC 7515 section 7.1), which has no padding. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;
/** Represents the absence of `typ` among the accepted types. */
const NO_TYPE = "none";

function typeOf({ typ }: { typ?: unknown }): string | undefined {
  if (typ === undefined) return NO_TYPE;
  const type = typeof typ === "string" ? normalizeType(typ) : undefined;
  return type === NO_TYPE ? undefined : type;
}

/** Media types in `typ` may omit `application/` and are not case-sensitive: RFC 7515 section 4.1.9. */
function normalizeType(type: string): string {
  return type.toLowerCase().replace(/^application\//, "");
}

/** Verifies the signature. For a token without `kid` it tries each key that fits. */
async function verifySignature(token: string, key: JWTVerifyGetKey, expected: JWTVerifyOptions) {
  try {
    return await jwtVerify(token, key, expected);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const candidate of error) {
      try {
        return await jwtVerify(token, candidate, expected);
      } catch (refused) {
        if (!(refused instanceof errors.JWSSignatureVerificationFailed)) throw refused;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

function readToken(payload: JWTPayload): VerifiedToken {
  const { data, error } = TokenClaims.safeParse(payload);
  if (error) throw new InvalidTokenError(`claim ${wrongClaim(error)} is missing or malformed`);
  const principal = principalOf(data);
  const elsewhere = principalsInOtherStores(data);
  return {
    principal,
    service: principal.type === "SYSTEM" ? data.client_id : undefined,
    ...(elsewhere.length > 0 && { elsewhere }),
  };
}

/** Reports unreadable keys as UNAVAILABLE. A key that does not exist stays an error of the token. */
function withAvailability(keys: JWTVerifyGetKey): JWTVerifyGetKey {
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

const NOT_SIGNED = "it is not a signed JWT";

/** Reason without personal values: the library's errors and their messages contain claims. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "it has expired";
  if (error instanceof errors.JWTClaimValidationFailed) return `claim ${error.claim} is missing or refused`;
  if (error instanceof errors.JOSEAlgNotAllowed) return `its alg is not one of ${ALGORITHMS.join(", ")}`;
  if (error instanceof errors.JWKSNoMatchingKey) return "the issuer publishes no key for its kid and alg";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "its signature is not the issuer's";
  if (error instanceof errors.JOSENotSupported) return "its header asks for something that is not supported";
  return NOT_SIGNED;
}
