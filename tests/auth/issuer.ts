/** Token issuer with a JWKS endpoint, and functions to forge tokens. */
import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type GenerateKeyPairResult,
  type JWK,
  type JWTPayload,
  SignJWT,
} from "jose";
import { DomainError } from "../../domain/errors.ts";
import assert from "node:assert/strict";

export const STORE = "0190a000-0000-7000-8000-00000000f001";
export const OTHER_STORE = "0190a000-0000-7000-8000-00000000f002";
export const SUBJECT = "0190a000-0000-7000-8000-00000000f0a1";

export interface Key {
  kid: string;
  alg: string;
  privateKey: GenerateKeyPairResult["privateKey"];
  publicJwk: JWK;
  publicPem: string;
}

export async function generateKey(alg = "ES256", kid: string = crypto.randomUUID()): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const publicJwk = { ...await exportJWK(publicKey), kid, alg, use: "sig" };
  return { kid, alg, privateKey, publicJwk, publicPem: await exportSPKI(publicKey) };
}

export interface Issuer extends AsyncDisposable {
  jwksUrl: URL;
  issuer: string;
  audience: string;
  types: string[];
  /** Number of times that the keys were read. */
  reads: number;
  publish(...keys: Key[]): void;
  /** Makes the endpoint return this response until keys are published again. */
  fail(response: () => Response): void;
}

export function startIssuer(...keys: Key[]): Issuer {
  let answer: () => Response;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    issuer.reads++;
    return answer();
  });
  const issuer: Issuer = {
    jwksUrl: new URL(`http://127.0.0.1:${server.addr.port}/jwks.json`),
    issuer: "https://identity.example",
    audience: "customer-service",
    types: ["at+jwt"],
    reads: 0,
    publish: (...keys) => {
      answer = () => Response.json({ keys: keys.map(({ publicJwk }) => publicJwk) });
    },
    fail: (response) => {
      answer = response;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  issuer.publish(...keys);
  return issuer;
}

/** Claims of a valid token, with changes; undefined removes a claim. */
export function claimsFor(issuer: Issuer, changes: JWTPayload = {}): JWTPayload {
  const now = Math.floor(Date.now() / 1_000);
  return {
    iss: issuer.issuer,
    aud: issuer.audience,
    sub: SUBJECT,
    store_id: STORE,
    principal_type: "STAFF",
    roles: [`CUSTOMER_SUPPORT@${STORE}`],
    iat: now,
    exp: now + 600,
    ...changes,
  };
}

export function sign(key: Key, claims: JWTPayload, header: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "at+jwt", ...header })
    .sign(
      key.privateKey,
    );
}

export function encode(part: unknown): string {
  return new TextEncoder().encode(JSON.stringify(part)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}

/** Asserts that `attempt` is refused and that the error quotes nothing of the token. */
export async function assertRefused(attempt: Promise<unknown>, token: string, reason: RegExp): Promise<void> {
  await assert.rejects(attempt, (error) => {
    assert.ok(error instanceof DomainError, String(error));
    assert.equal(error.code, "UNAUTHENTICATED");
    assert.match(error.message, reason);
    assert.equal(error.cause, undefined);
    for (const part of token.split(".").filter((part) => part.length > 8)) {
      assert.ok(!error.message.includes(part), error.message);
    }
    return true;
  });
}

export async function assertUnavailable(attempt: Promise<unknown>): Promise<void> {
  await assert.rejects(attempt, (error) => error instanceof DomainError && error.code === "UNAVAILABLE");
}
