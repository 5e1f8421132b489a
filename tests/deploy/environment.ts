/** Compares a deployment's variables with those that the service reads. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";
import { type Config, readConfig } from "../../config/mod.ts";
import { VARIABLES } from "../../config/variables.ts";

/** Variables from a secret or from Vault. */
export function secrets(): Record<string, string> {
  const { privateKey } = generateKeyPairSync("ed25519");
  return {
    DATABASE_URL: "postgres://customer_service:x@postgres:5432/customer",
    KAFKA_BROKERS: "kafka:9092",
    GDPR_EXPORT_KEY: Buffer.alloc(32, 1).toString("base64"),
    GDPR_HASH_KEY: Buffer.alloc(32, 2).toString("base64"),
    GATEWAY_SECRET: Buffer.alloc(32, 3).toString("base64"),
    GDPR_RECEIPT_KEY: privateKey.export({ type: "pkcs8", format: "der" }).toString("base64"),
  };
}

/** Asserts that the service or OpenTelemetry reads each variable, and that production accepts them. */
export function assertStarts(env: Record<string, string>): Config {
  const known = (name: string) => name in VARIABLES || /^(OTEL_[A-Z_]+|PEER_[A-Z0-9_]+_URL)$/.test(name);
  assert.deepEqual(Object.keys(env).filter((name) => !known(name)), []);
  return readConfig({ DENO_ENV: "production", ...secrets(), ...env });
}
