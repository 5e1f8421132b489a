/** TLS to a real Kafka: certificate authorities and client certificates of KAFKA_SSL_…. */
import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { readKafkaAccess } from "../../config/kafka_access.ts";
import { readConfig } from "../../config/mod.ts";
import { readErasureLog } from "../../events/erasure_log.ts";
import { kafkaSink } from "../../events/kafka_sink.ts";
import { startBroker } from "../kafka/broker.ts";
import { freePort } from "../ports.ts";
import { createAuthority, type Identity } from "../rpc/certificates.ts";
import { kafkaTest, PROTOBUF } from "./kafka.ts";
import { event } from "./outbox.ts";

const NEVER = new AbortController().signal;

kafkaTest("a broker with a private authority and client certificates", async (t) => {
  const [own, other] = [createAuthority("own"), createAuthority("other")];
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(
    await Deno.makeTempDir({ prefix: "customer-service-kafka-tls-" }),
    (path) => Deno.remove(path, { recursive: true }),
  );
  const file = async (name: string, text: string) => {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    return `${folder}/${name}`;
  };
  const port = freePort();
  await using _broker = await startBroker(undefined, {
    "listeners": `SSL://127.0.0.1:${port}`,
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL",
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": await file("broker.pem", keyStore(own.issue({ ip: "127.0.0.1" }))),
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": await file("trusted.pem", own.certificate),
    "ssl.client.auth": "required",
  });
  const client = own.issue({ dns: "customer-service" });
  const [certificate, key] = [
    await file("client.crt", client.certificate),
    await file("client.key", client.key),
  ];
  const identity = { KAFKA_SSL_CERT: certificate, KAFKA_SSL_KEY: key };
  const access = async (variables: Record<string, string>) => {
    const env = {
      KAFKA_BROKERS: `127.0.0.1:${port}`,
      KAFKA_SSL: "true",
      KAFKA_PARTITIONS: "1",
      ...variables,
    };
    return await readKafkaAccess(readConfig(env).kafka!);
  };
  const publish = async (variables: Record<string, string>) => {
    await using sink = kafkaSink(await access(variables), PROTOBUF);
    const row = event("customer.erased", crypto.randomUUID(), crypto.randomUUID());
    return await sink.publish([row], NEVER);
  };

  await t.step("files, or PEM texts as Vault supplies them, connect", async () => {
    const ca = await file("ca.crt", own.certificate);
    assert.deepEqual(await publish({ KAFKA_SSL_CA: ca, ...identity }), []);
    const texts = { KAFKA_SSL_CERT: client.certificate, KAFKA_SSL_KEY: client.key };
    assert.deepEqual(await publish({ KAFKA_SSL_CA: own.certificate, ...texts }), []);
  });

  await t.step("the erasure log is read over the same connection", async () => {
    const settings = await access({ KAFKA_SSL_CA: own.certificate, ...identity });
    assert.equal((await Array.fromAsync(readErasureLog(settings))).flat().length, 2);
  });

  await t.step("another authority, none, and a missing certificate are refused with the reason", async () => {
    const cases = [
      [{ KAFKA_SSL_CA: other.certificate, ...identity }, /unable to verify|self-signed|issuer/],
      [identity, /unable to verify|self-signed|issuer/],
      [{ KAFKA_SSL_CA: own.certificate }, /write after end|certificate|closed|reset|alert/i],
    ] as const;
    for (const [variables, reason] of cases) {
      const [refusal] = await publish(variables);
      assert.equal(refusal?.topic, "customer.erased");
      assert.match(refusal.reason, reason);
    }
  });

  await t.step("a file that is not a certificate, and a key of another one, are named", async () => {
    const purpose = "Cannot connect to Kafka";
    await assert.rejects(access({ KAFKA_SSL_CA: key, ...identity }), {
      message: `${purpose}: KAFKA_SSL_CA: expected a file with a certificate in PEM form`,
    });
    await assert.rejects(access({ ...identity, KAFKA_SSL_KEY: own.issue({ dns: "x" }).key }), {
      message: `${purpose}: KAFKA_SSL_CERT: it is not for the key of KAFKA_SSL_KEY`,
    });
  });
});

/** Kafka takes a key in PKCS #8 only, followed by its certificate. */
function keyStore({ certificate, key }: Identity): string {
  return `${createPrivateKey(key).export({ type: "pkcs8", format: "pem" })}${certificate}`;
}
