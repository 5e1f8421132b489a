/** Connection to Kafka: the PEM files of KAFKA_SSL_…, read once at start. */
import { readAuthority, readIdentity } from "./certificates.ts";
import type { KafkaConfig } from "./mod.ts";

/** As the Kafka client takes it. TLS values are PEM texts. */
export interface KafkaAccess
  extends Pick<KafkaConfig, "brokers" | "sasl" | "partitions" | "replicationFactor"> {
  /** Undefined: plain text. */
  tls?: { ca?: string; identity?: { certificate: string; key: string } };
}

const FAILURE_PREFIX = "Cannot connect to Kafka";

/** @throws {ConfigError} a file cannot be read or is invalid */
export async function readKafkaAccess({ ssl, ca, identity, ...settings }: KafkaConfig): Promise<KafkaAccess> {
  if (!ssl) return settings;
  const variables = { certificate: "KAFKA_SSL_CERT", key: "KAFKA_SSL_KEY" };
  const authority = ca === undefined
    ? {}
    : { ca: await readAuthority(ca, { failurePrefix: FAILURE_PREFIX, variable: "KAFKA_SSL_CA" }) };
  const own = identity && { identity: await readIdentity(identity, FAILURE_PREFIX, variables) };
  return { ...settings, tls: { ...authority, ...own } };
}
