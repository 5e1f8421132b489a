/** TLS to a real PostgreSQL: what each sslmode encrypts, and which certificates it accepts. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { openPool } from "../../db/connect.ts";
import { type Embedded, startEmbedded } from "../../db/embedded.ts";
import { describeError } from "../../lib/error_description.ts";
import { migrate } from "../../db/migrate.ts";
import { bootstrap } from "../../db/bootstrap.ts";
import { createAuthority } from "../rpc/certificates.ts";

const OWN = createAuthority("own");
const ENCRYPTED = "TLSv1.3";
const PLAIN = "plain";
const STRANGER = /unable to verify/;
const ELSEWHERE = /does not match certificate's altnames/;

interface House extends AsyncDisposable {
  /** PEM files of authorities: the server's, and another one. */
  own: string;
  other: string;
  /** Connects to `host` with these parameters and returns the protocol, plain, or the error. */
  connect(host: string, parameters: string): Promise<string>;
  url: URL;
}

/** @param names of the server's certificate; without names it has no certificate and offers no TLS */
async function startServer(...names: Parameters<typeof OWN.issue>): Promise<House> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(
    await Deno.makeTempDir({ prefix: "customer-service-tls-" }),
    (path) => Deno.remove(path, { recursive: true }),
  );
  await Deno.chmod(folder, 0o711);
  const files = { own: `${folder}/own.pem`, other: `${folder}/other.pem` };
  await Deno.writeTextFile(files.own, OWN.certificate);
  await Deno.writeTextFile(files.other, createAuthority("other").certificate);
  const server: Embedded = stack.use(
    await startEmbedded(`${folder}/database`, {
      settings: { fsync: "off", ...(names.length > 0 ? await certificate(folder, names) : {}) },
    }),
  );
  const admin = stack.adopt(postgres(server.adminUrl, { max: 1 }), (sql) => sql.end());
  const url = new URL(await bootstrap(server.adminUrl, "customers", "test"));
  const running = stack.move();
  return {
    ...files,
    url,
    async connect(host, parameters) {
      const at = new URL(url);
      at.hostname = host;
      at.search = parameters;
      try {
        const sql = openPool(at.href, "customer_reader", 1);
        try {
          const [session] = await sql`select pg_backend_pid() as pid`;
          const [row] = await admin`select version from pg_stat_ssl where pid = ${session?.pid}`;
          return row?.version ?? PLAIN;
        } finally {
          await sql.end({ timeout: 1 });
        }
      } catch (error) {
        return describeError(error);
      }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** PostgreSQL requires sole access to the key, and runs as another user where the tests run as root. */
async function certificate(folder: string, names: Parameters<typeof OWN.issue>) {
  const { certificate, key } = OWN.issue(...names);
  const [ssl_cert_file, ssl_key_file] = [`${folder}/server.pem`, `${folder}/server.key`];
  await Deno.writeTextFile(ssl_cert_file, certificate);
  await Deno.writeTextFile(ssl_key_file, key, { mode: 0o600 });
  if (Deno.build.os !== "windows" && Deno.uid() === 0) await Deno.chown(ssl_key_file, 65534, 65534);
  return { ssl: "on", ssl_cert_file, ssl_key_file };
}

Deno.test("sslmode selects encryption and verification, and sslrootcert the trusted authority", async (t) => {
  await using house = await startServer({ dns: "localhost" });
  const { own, other } = house;
  const table: [string, string, string | RegExp][] = [
    ["localhost", "", PLAIN],
    ["localhost", "sslmode=disable", PLAIN],
    ["localhost", "sslmode=allow", ENCRYPTED],
    ["localhost", "sslmode=prefer", ENCRYPTED],
    ["localhost", "sslmode=require", ENCRYPTED],
    ["localhost", "ssl=require", ENCRYPTED],
    ["localhost", `sslmode=require&sslrootcert=${own}`, ENCRYPTED],
    ["localhost", `sslmode=require&sslrootcert=${other}`, STRANGER],
    ["localhost", "sslmode=verify-ca", STRANGER],
    ["localhost", `sslmode=verify-ca&sslrootcert=${own}`, ENCRYPTED],
    ["127.0.0.1", `sslmode=verify-ca&sslrootcert=${own}`, ENCRYPTED],
    ["127.0.0.1", `sslmode=verify-ca&sslrootcert=${other}`, STRANGER],
    ["localhost", "sslmode=verify-full", STRANGER],
    ["localhost", "sslmode=verify-full&sslrootcert=system", STRANGER],
    ["localhost", "ssl=true", STRANGER],
    ["localhost", `sslmode=verify-full&sslrootcert=${own}`, ENCRYPTED],
    // The certificate is for the name localhost, which an address is not.
    ["127.0.0.1", `sslmode=verify-full&sslrootcert=${own}`, ELSEWHERE],
    [
      "localhost",
      "sslmode=verify-full&sslrootcert=/nowhere/ca.pem",
      /: Cannot read the file of sslrootcert: NotFound$/,
    ],
  ];
  for (const [host, parameters, expected] of table) {
    await t.step(`${host} ${parameters.replace(own, "own").replace(other, "other")}`, async () => {
      const got = await house.connect(host, parameters);
      if (typeof expected === "string") assert.equal(got, expected);
      else assert.match(got, expected);
    });
  }
  await t.step("migrations use the same options", async () => {
    const at = new URL(house.url);
    at.hostname = "localhost";
    at.search = `sslmode=verify-full&sslrootcert=${other}`;
    await assert.rejects(migrate(at.href), STRANGER);
    at.search = `sslmode=verify-full&sslrootcert=${own}`;
    assert.ok((await migrate(at.href)).length > 0);
  });
});

Deno.test("a server is verified by an IP address in its certificate, and not by a missing name", async () => {
  await using house = await startServer({ ip: "127.0.0.1" });
  const parameters = `sslmode=verify-full&sslrootcert=${house.own}`;
  assert.equal(await house.connect("127.0.0.1", parameters), ENCRYPTED);
  assert.match(await house.connect("localhost", parameters), ELSEWHERE);
});

Deno.test("without TLS at the server, only modes that allow plain text connect", async () => {
  await using house = await startServer();
  assert.equal(await house.connect("127.0.0.1", "sslmode=prefer"), PLAIN);
  for (const mode of ["require", "verify-full"]) {
    assert.match(await house.connect("127.0.0.1", `sslmode=${mode}`), /before secure TLS connection/);
  }
});
