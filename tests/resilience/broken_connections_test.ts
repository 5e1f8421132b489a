/**
 * Connections that break at any time, from either side, cause an error of their user and no uncaught error, which would
 * fail the test.
 */
import assert from "node:assert/strict";
import { openPool } from "../../db/connect.ts";
import { openKafka } from "../../events/kafka_client.ts";
import { Channel } from "../../grpc/mod.ts";
import { serveGrpc } from "../../rpc/server.ts";
import { createAuthority } from "../rpc/certificates.ts";
import { connect } from "../rpc/client.ts";
import { OPEN } from "../rpc/serve.ts";

/** Closes with a reset: the kernel sends one if received data was not read. */
const RESET = "reset";
type Step = Uint8Array | typeof RESET;

const bytes = (...values: number[]) => Uint8Array.from(values);
/** "The server speaks TLS", to a client of PostgreSQL. */
const POSTGRES_TLS = bytes(0x53);
const NOISE = new Uint8Array(300).fill(0x15);
/** A TLS handshake record with fewer bytes than its length. */
const CUT_RECORD = bytes(0x16, 0x03, 0x03, 0x40, 0x00, 0x02);
/** A fatal TLS alert: handshake_failure. */
const ALERT = bytes(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28);

const BREAKS: Record<string, Step[]> = {
  "at once": [RESET],
  "after noise": [NOISE],
  "after noise, with a reset": [NOISE, RESET],
  "within a record": [CUT_RECORD],
  "within a record, with a reset": [CUT_RECORD, RESET],
  "after an alert": [ALERT],
};

for (const [when, steps] of Object.entries(BREAKS)) {
  Deno.test(`a connection to PostgreSQL over TLS that breaks ${when} is an error of its query`, async () => {
    for (const before of [[], [POSTGRES_TLS]]) {
      await using server = breaking([...before, ...steps]);
      const pool = openPool(`postgres://a:b@127.0.0.1:${server.port}/c?sslmode=require`, "customer_api", 2);
      const queries = [pool`select 1`, pool.begin((tx) => tx`select 1`), pool`select 2`];
      const outcomes = await Promise.allSettled(queries);
      assert.deepEqual(outcomes.map(({ status }) => status), Array(3).fill("rejected"));
      await pool.end({ timeout: 0 });
    }
  });

  Deno.test(`a connection to Kafka that breaks ${when} is an error of its request`, async () => {
    for (const ssl of [true, false]) {
      await using server = breaking(steps);
      const { kafka, cut } = openKafka({
        brokers: [`127.0.0.1:${server.port}`],
        ...(ssl && { tls: {} }),
        partitions: 1,
        replicationFactor: 1,
      });
      const admin = kafka.admin({ retry: { retries: 0 } });
      const connecting = admin.connect();
      if (!ssl && steps[0] === NOISE) setTimeout(cut, 200); // kafkajs waits for more noise
      await assert.rejects(connecting);
      cut();
      await admin.disconnect();
    }
  });

  Deno.test(`a connection to a participant that breaks ${when} is an error of its call`, async () => {
    for (const scheme of ["http", "https"]) {
      await using server = breaking(steps);
      using channel = new Channel(new URL(`${scheme}://127.0.0.1:${server.port}`));
      await assert.rejects(channel.unary("/a.B/C", new Uint8Array(), { timeoutMs: 2_000 }));
    }
  });
}

Deno.test("a client that aborts TLS at any time ends only its own connection", async () => {
  const authority = createAuthority("customers");
  const { certificate, key } = authority.issue({ dns: "localhost" });
  for (const clientCa of [undefined, authority.certificate]) {
    const server = await serveGrpc({
      bind: "127.0.0.1",
      port: 0,
      tls: { certificate, key, clientCa },
      admit: OPEN,
      methods: {} as never,
    });
    try {
      for (const steps of Object.values(BREAKS)) {
        await Promise.all(Array.from({ length: 5 }, () => breakOff(server.port, steps)));
      }
      for (const alpnProtocols of [["http/1.1"], ["h2"], undefined]) {
        for (const text of ["", "GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]) {
          await breakOffTls(server.port, authority.certificate, alpnProtocols, text);
        }
      }
      const own = authority.issue({ uri: "spiffe://test/ns/a/sa/b" });
      using client = connect(server.port, { ca: authority.certificate, ...own });
      assert.equal(await client.health(), "NOT_SERVING");
    } finally {
      await server.close();
    }
  }
});

/** Server that runs the same steps on every connection and closes it. */
function breaking(steps: readonly Step[]) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) perform(connection, steps).catch(() => {}); // the client may have disconnected
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

async function breakOff(port: number, steps: readonly Step[]): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  for (const step of steps) if (step !== RESET) await connection.write(step);
}

async function perform(connection: Deno.Conn, steps: readonly Step[]): Promise<void> {
  try {
    const isReset = steps.at(-1) === RESET;
    for (const step of steps) {
      if (step === RESET) continue;
      if (!isReset) await connection.read(new Uint8Array(4_096));
      await connection.write(step);
    }
    if (isReset) await connection.read(new Uint8Array(1)); // the rest is never read
  } finally {
    connection.close();
  }
}

async function breakOffTls(port: number, ca: string, alpnProtocols: string[] | undefined, text: string) {
  try {
    using connection = await Deno.connectTls({
      hostname: "localhost",
      port,
      caCerts: [ca],
      ...(alpnProtocols && { alpnProtocols }),
    });
    await connection.write(new TextEncoder().encode(text)); // unread data of the server causes a reset
  } catch { /* refused */ }
}
