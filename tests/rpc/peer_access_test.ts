/**
 * Credentials that participants receive, from the files that the environment names, at a real server that
 * checks them.
 */
import assert from "node:assert/strict";
import { ParticipantError } from "../../actors/gdpr/types.ts";
import { ConfigError, readConfig } from "../../config/mod.ts";
import { readPeerAccess } from "../../config/peer_access.ts";
import { createPeers } from "../../rpc/peers.ts";
import { createAuthority } from "./certificates.ts";
import { order, startPeer, type TestPeer } from "./peer.ts";

const AUTHORITY = createAuthority("peers");
const SERVER = AUTHORITY.issue({ dns: "localhost" });
const OWN = AUTHORITY.issue({ uri: "spiffe://shop/ns/shop/sa/customer-service" });
const REQUEST = {
  customerId: crypto.randomUUID() as string,
  storeId: crypto.randomUUID() as string,
  requestId: crypto.randomUUID() as string,
  resumeAfter: undefined,
  emailHashes: [],
};

Deno.test("a peer that asks for a certificate gets that of PEER_TLS_CERT, and refuses clients without one", async () => {
  await using files = await folder({ "ca.crt": AUTHORITY.certificate, ...named("tls", OWN) });
  await using peer = await startPeer((call) => call.send(order(1)), {
    ...SERVER,
    clientCa: AUTHORITY.certificate,
  });
  const ca = { PEER_TLS_CA: files.path("ca.crt") };
  const identity = { PEER_TLS_CERT: files.path("tls.crt"), PEER_TLS_KEY: files.path("tls.key") };
  assert.equal(await collect(peer, { ...ca, ...identity }), "1 records");
  assert.equal(await collect(peer, ca), "UNREACHABLE");
  assert.equal(
    await collect(peer, identity),
    "UNREACHABLE",
    "nor does it trust a peer of an unknown authority",
  );
});

Deno.test("each call to a peer has the current token of the file, and no call is made without one", async () => {
  await using files = await folder({ token: "first-token\n" });
  const seen: unknown[] = [];
  await using peer = await startPeer((call) => {
    seen.push(...call.metadata.getAll("authorization"));
  });
  using peers = await connectPeers(peer, { PEER_TOKEN_PATH: files.path("token") });
  const ask = () => drain(peers);
  await ask();
  await files.write("token", "second-token");
  await ask();
  for (const unfit of ["", "two words", "tökén"]) {
    await files.write("token", unfit);
    const error = await ask().then(() => undefined, (error) => error);
    assert.equal(error instanceof ParticipantError && error.reason, "UNREACHABLE");
    if (unfit) assert.ok(!Deno.inspect(error).includes(unfit), "the message repeats it");
  }
  await Deno.remove(files.path("token"));
  await assert.rejects(ask(), ParticipantError);
  await files.write("token", "third-token");
  await ask();
  assert.deepEqual(seen, ["Bearer first-token", "Bearer second-token", "Bearer third-token"]);
});

Deno.test("a start with an invalid file fails with the name of the variable, without the content of the file", async () => {
  const other = createAuthority("others").issue({ dns: "localhost" });
  const files = {
    "ca.crt": AUTHORITY.certificate,
    ...named("tls", OWN),
    "other.key": other.key,
    nothing: "s3cret nonsense",
  };
  await using place = await folder(files);
  const url = { PEER_ORDER_SERVICE_URL: "https://localhost:1" };
  const wrong: [string, Record<string, string>][] = [
    ["PEER_TLS_CA", { PEER_TLS_CA: "nothing" }],
    ["PEER_TLS_CA", { PEER_TLS_CA: "absent" }],
    ["PEER_TLS_CERT", { PEER_TLS_CERT: "nothing", PEER_TLS_KEY: "tls.key" }],
    ["PEER_TLS_KEY", { PEER_TLS_CERT: "tls.crt", PEER_TLS_KEY: "nothing" }],
    ["PEER_TLS_CERT", { PEER_TLS_CERT: "tls.crt", PEER_TLS_KEY: "other.key" }],
    ["PEER_TOKEN_PATH", { PEER_TOKEN_PATH: "nothing" }],
    ["PEER_TOKEN_PATH", { PEER_TOKEN_PATH: "absent" }],
  ];
  for (const [variable, env] of wrong) {
    const paths = Object.fromEntries(Object.entries(env).map(([name, file]) => [name, place.path(file)]));
    await assert.rejects(readPeerAccess(readConfig({ ...url, ...paths }).gdpr.peerAccess), (error: Error) => {
      assert.ok(error instanceof ConfigError);
      assert.ok(error.message.startsWith(`Cannot call participants: ${variable}: `), error.message);
      assert.ok(!Deno.inspect(error).includes("s3cret"));
      for (const path of Object.values(paths)) assert.ok(!error.message.includes(path), "it may be the key");
      return true;
    });
  }
});

/** Creates the participants' client from the environment, as a start does. */
async function connectPeers(peer: TestPeer, env: Record<string, string>) {
  const { gdpr } = readConfig({ ...env, PEER_ORDER_SERVICE_URL: peer.url.href });
  return createPeers(new Map(Object.entries(gdpr.peers)), await readPeerAccess(gdpr.peerAccess));
}

async function collect(peer: TestPeer, env: Record<string, string>): Promise<string> {
  using peers = await connectPeers(peer, env);
  return await drain(peers).then(({ length }) => `${length} records`, (error) => error.reason);
}

async function drain(peers: ReturnType<typeof createPeers>) {
  return await Array.fromAsync(peers.collect("order-service", REQUEST, new AbortController().signal));
}

function named(name: string, { certificate, key }: { certificate: string; key: string }) {
  return { [`${name}.crt`]: certificate, [`${name}.key`]: key };
}

async function folder(files: Record<string, string>) {
  const directory = await Deno.makeTempDir();
  const path = (name: string) => `${directory}/${name}`;
  const write = (name: string, text: string) => Deno.writeTextFile(path(name), text);
  for (const [name, text] of Object.entries(files)) await write(name, text);
  return { path, write, [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }) };
}
