/** Authentication of gRPC callers by every method, over real connections. */
import assert from "node:assert/strict";
import { type PrincipalType, systemPrincipal } from "../../domain/principal.ts";
import { type Caller, type CallerProof, type CallEvidence, createAdmission } from "../../auth/callers.ts";
import { openDevelopmentIssuer } from "../../auth/development_issuer.ts";
import type { GrpcOptions } from "../../rpc/server.ts";
import { createDatabase } from "../database.ts";
import { createIssuer } from "../graph/server.ts";
import { arrangeCustomer } from "./arrange.ts";
import { type AltName, createAuthority, type Identity } from "./certificates.ts";
import { asked, type CallOptions, connect } from "./client.ts";
import { serveLookups } from "./serve.ts";

const CALLERS = {
  GetCustomerGroups: ["cart-service"],
  GetCustomerSnapshot: ["checkout-service"],
  ConfirmErasure: ["order-service"],
  GetNotice: ["communication-service"],
  ConfirmNotice: ["communication-service"],
};
const CART = "spiffe://cluster.local/ns/shop/sa/cart-service";
const CHECKOUT = "spiffe://cluster.local/ns/shop/sa/checkout-service";
const IDENTITIES = { trustDomain: "cluster.local", namespaces: ["shop", "tills"] };
const MTLS = { mode: "mtls", ...IDENTITIES } as const;
const MESH = { mode: "mesh", ...IDENTITIES } as const;
/** Names that end in a service's name and belong to others. */
const FOREIGN = [
  "spiffe://cluster.local/ns/attacker/sa/cart-service",
  "spiffe://evil.example/ns/shop/sa/cart-service",
  "spiffe://evil.example/sa/cart-service",
  "spiffe://cluster.local/sa/cart-service",
  "spiffe://cluster.local/ns/shop/ns/shop/sa/cart-service",
  "spiffe://cluster.local/ns/shop/x/sa/cart-service",
  "spiffe://cluster.local.evil.example/ns/shop/sa/cart-service",
  "spiffe://evil.example/cluster.local/ns/shop/sa/cart-service",
  "spiffe://cluster.local/ns/shop/sa/cart-service/",
  "spiffe://cluster.local:443/ns/shop/sa/cart-service",
  "spiffe://user@cluster.local/ns/shop/sa/cart-service",
  "spiffe://CLUSTER.LOCAL/ns/shop/sa/cart-service",
];

Deno.test("mtls: a service is identified by its certificate, and calls the methods that it may", async (t) => {
  await using house = await serveWith(MTLS, AUTHORITY);
  const { customer } = house;
  const bytes = String.fromCharCode(0x86, CART.length) + CART; // a URI among alternative names
  const cases: {
    who: string;
    names: (AltName | { other: string })[];
    status: string;
    snapshot?: string;
  }[] = [
    ...FOREIGN.map((uri) => ({ who: uri, names: [{ uri }], status: "UNAUTHENTICATED" })),
    {
      who: "cart-service of the other namespace",
      names: [{ uri: "spiffe://cluster.local/ns/tills/sa/cart-service" }],
      status: "OK",
    },
    {
      who: "one with a URI in a host name and its bytes in another extension",
      names: [{ dns: `a, URI:${CART}` }, { other: bytes }],
      status: "UNAUTHENTICATED",
    },
    {
      who: "one with a URI's bytes in a host name",
      names: [{ dns: `a, URI:${CART}, ${bytes}` }],
      status: "UNAUTHENTICATED",
    },
    { who: "one without alternative names", names: [{ other: bytes }], status: "UNAUTHENTICATED" },
    { who: "cart-service", names: [{ uri: CART }], status: "OK", snapshot: "PERMISSION_DENIED" },
    { who: "checkout-service", names: [{ uri: CHECKOUT }], status: "PERMISSION_DENIED", snapshot: "OK" },
    { who: "cart-service with a host name", names: [{ dns: "cart.shop" }, { uri: CART }], status: "OK" },
    { who: "a stranger", names: [{ uri: CART + "-2" }], status: "PERMISSION_DENIED" },
    { who: "one without a name", names: [{ dns: "cart-service" }], status: "UNAUTHENTICATED" },
    { who: "one with two names", names: [{ uri: CART }, { uri: CHECKOUT }], status: "UNAUTHENTICATED" },
    {
      who: "one of no service account",
      names: [{ uri: "spiffe://cluster.local/cart-service" }],
      status: "UNAUTHENTICATED",
    },
    {
      who: "one of another scheme",
      names: [{ uri: "https://x/sa/cart-service" }],
      status: "UNAUTHENTICATED",
    },
    {
      who: "one whose host name reads like a URI",
      names: [{ dns: `x, URI:${CART}` }],
      status: "UNAUTHENTICATED",
    },
  ];
  for (const { who, names, status, snapshot } of cases) {
    await t.step(who, async () => {
      using client = house.connect(AUTHORITY.issue(...names));
      assert.equal((await client.groups(asked(customer))).status, status);
      if (snapshot) assert.equal((await client.snapshot(asked(customer))).status, snapshot);
      assert.equal(await client.health(), "NOT_SERVING");
    });
  }
});

Deno.test("mtls: without a certificate of the authority the handshake fails, with any headers", async () => {
  await using house = await serveWith(MTLS, AUTHORITY);
  const forged = { "x-forwarded-client-cert": `URI=${CART}`, authorization: "Bearer cart" };
  for (const identity of [undefined, createAuthority("another").issue({ uri: CART })]) {
    using client = house.connect(identity);
    const { status } = await client.groups(asked(house.customer), { metadata: forged, withinMs: 2_000 });
    assert.ok(["UNAVAILABLE", "DEADLINE_EXCEEDED"].includes(status), status);
    assert.notEqual(await client.health(), "NOT_SERVING");
  }
});

Deno.test("mtls: a plain-text client is not served", async () => {
  await using house = await serveWith(MTLS, AUTHORITY);
  using client = connect(house.port);
  const { status } = await client.groups(asked(house.customer), { withinMs: 2_000 });
  assert.ok(["UNAVAILABLE", "DEADLINE_EXCEEDED"].includes(status), status);
});

Deno.test("mesh: the nearest proxy's certificate counts, and only when it is complete", async (t) => {
  await using house = await serveWith(MESH);
  const own = "By=spiffe://cluster.local/ns/shop/sa/customer-service;Hash=00ff";
  const cases: { what: string; xfcc: string | undefined; status: string }[] = [
    { what: "one element", xfcc: `${own};URI=${CART}`, status: "OK" },
    {
      what: "a quoted subject",
      xfcc: `${own};Subject="CN=a\\",b;URI=${CHECKOUT}";URI=${CART}`,
      status: "OK",
    },
    { what: "a quoted URI", xfcc: `${own};URI="${CART}"`, status: "OK" },
    { what: "keys in another case", xfcc: `uri=${CART}`, status: "OK" },
    { what: "the nearest of two", xfcc: `${own};URI=${CHECKOUT}, ${own};URI=${CART}`, status: "OK" },
    {
      what: "a forged element before the proxy's",
      xfcc: `URI=${CART},${own};URI=${CHECKOUT}`,
      status: "PERMISSION_DENIED",
    },
    { what: "a proxy that saw no certificate", xfcc: `URI=${CART},${own};URI=`, status: "UNAUTHENTICATED" },
    { what: "no URI", xfcc: own, status: "UNAUTHENTICATED" },
    ...FOREIGN.map((uri) => ({ what: uri, xfcc: `${own};URI=${uri}`, status: "UNAUTHENTICATED" })),
    { what: "a URI only inside quotes", xfcc: `${own};Subject="URI=${CART}"`, status: "UNAUTHENTICATED" },
    { what: "two URIs", xfcc: `URI=${CHECKOUT};URI=${CART}`, status: "UNAUTHENTICATED" },
    { what: "an open quote", xfcc: `Subject="x;URI=${CART}`, status: "UNAUTHENTICATED" },
    { what: "text after a quote", xfcc: `URI="${CART}"x`, status: "UNAUTHENTICATED" },
    { what: "a value without a key", xfcc: CART, status: "UNAUTHENTICATED" },
    { what: "an empty element", xfcc: `URI=${CART},`, status: "UNAUTHENTICATED" },
    { what: "nothing at all", xfcc: undefined, status: "UNAUTHENTICATED" },
  ];
  for (const { what, xfcc, status } of cases) {
    await t.step(what, async () => {
      const metadata = xfcc === undefined ? {} : { "x-forwarded-client-cert": xfcc };
      assert.equal((await house.client.groups(asked(house.customer), { metadata })).status, status);
    });
  }
});

Deno.test("mesh: the longest possible header is parsed in linear time", async () => {
  await using house = await serveWith(MESH);
  for (const part of [" ", "a", '\\"', "=", "a=b;"]) {
    const metadata = { "x-forwarded-client-cert": `Subject="${part.repeat(12_000 / part.length)}` };
    const started = performance.now();
    const { status } = await house.client.groups(asked(house.customer), { metadata });
    assert.equal(status, "UNAUTHENTICATED");
    assert.ok(performance.now() - started < 5_000);
  }
});

Deno.test("token: a service's token gives access to its methods and its store", async (t) => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(await Deno.makeTempDir(), (path) => Deno.remove(path, { recursive: true }));
  const issuer = await openDevelopmentIssuer(folder);
  const house = stack.use(await serveWith({ mode: "token", verifyToken: issuer.verify }));
  const here = house.customer.storeId;
  const token = (type: PrincipalType, service: string | undefined, storeId = here, ttlSeconds = 60) => {
    const principal = { id: crypto.randomUUID(), type, storeId, roles: ["STORE_MANAGER" as const] };
    return issuer.sign({ principal, service }, ttlSeconds);
  };
  const cart = await token("SYSTEM", "cart-service");
  const cases: { what: string; authorization: string | undefined; status: string }[] = [
    { what: "its own store", authorization: `Bearer ${cart}`, status: "OK" },
    { what: "the scheme in small letters", authorization: `bearer ${cart}`, status: "OK" },
    {
      what: "another store",
      authorization: `Bearer ${await token("SYSTEM", "cart-service", crypto.randomUUID())}`,
      status: "PERMISSION_DENIED",
    },
    {
      what: "another service",
      authorization: `Bearer ${await token("SYSTEM", "order-service")}`,
      status: "PERMISSION_DENIED",
    },
    {
      what: "a customer",
      authorization: `Bearer ${await token("CUSTOMER", "cart-service")}`,
      status: "PERMISSION_DENIED",
    },
    {
      what: "a member of staff",
      authorization: `Bearer ${await token("STAFF", "cart-service")}`,
      status: "PERMISSION_DENIED",
    },
    {
      what: "a system that is not a service",
      authorization: `Bearer ${await token("SYSTEM", undefined)}`,
      status: "PERMISSION_DENIED",
    },
    {
      what: "an expired token",
      authorization: `Bearer ${await token("SYSTEM", "cart-service", here, -60)}`,
      status: "UNAUTHENTICATED",
    },
    {
      what: "a forged token",
      authorization: `Bearer ${cart.slice(0, -8)}AAAAAAAA`,
      status: "UNAUTHENTICATED",
    },
    { what: "two tokens", authorization: `Bearer ${cart}, Bearer ${cart}`, status: "UNAUTHENTICATED" },
    { what: "another scheme", authorization: `Basic ${cart}`, status: "UNAUTHENTICATED" },
    { what: "no token", authorization: "Bearer ", status: "UNAUTHENTICATED" },
    { what: "nothing", authorization: undefined, status: "UNAUTHENTICATED" },
  ];
  for (const { what, authorization, status } of cases) {
    await t.step(what, async () => {
      const metadata = { "x-store-id": here, ...(authorization && { authorization }) };
      const outcome = await house.client.groups(asked(house.customer), { metadata });
      assert.equal(outcome.status, status);
      assert.ok(!outcome.details.includes(cart.slice(0, 20)), "a token is repeated");
    });
  }
});

Deno.test("token over TLS: the server sends its certificate, the caller a token and no certificate", async () => {
  const issuer = await createIssuer();
  const admission = { mode: "token", verifyToken: issuer.verify } as const;
  await using house = await serveWith(admission, { ...SERVER });
  const { customer } = house;
  const principal = systemPrincipal(customer.storeId);
  const token = await issuer.sign({ principal, service: "cart-service" }, 60);
  const metadata = { authorization: `Bearer ${token}` };
  using client = house.connect(undefined);
  assert.equal((await client.groups(asked(customer), { metadata })).status, "OK");
  assert.equal((await client.groups(asked(customer))).status, "UNAUTHENTICATED");
  using other = connect(house.port, { ca: createAuthority("another").certificate });
  assert.equal((await other.groups(asked(customer), { metadata, withinMs: 2_000 })).status, "UNAVAILABLE");
  using plain = connect(house.port);
  const { status } = await plain.groups(asked(customer), { metadata, withinMs: 2_000 });
  assert.ok(["UNAVAILABLE", "DEADLINE_EXCEEDED"].includes(status), status);
});

Deno.test("token: two authorization entries of one call are refused on the wire", async () => {
  const issuer = await createIssuer();
  await using house = await serveWith({ mode: "token", verifyToken: issuer.verify });
  const { customer } = house;
  const principal = systemPrincipal(customer.storeId);
  const token = async (service: string) => `Bearer ${await issuer.sign({ principal, service }, 60)}`;
  const [cart, order] = [await token("cart-service"), await token("order-service")];
  const call = async (...values: string[]) => {
    const metadata = values.map((value): [string, string] => ["authorization", value]);
    return (await house.client.groups(asked(customer), { metadata })).status;
  };
  assert.equal(await call(cart), "OK");
  for (const values of [[cart, order], [order, cart], [cart, cart], [cart, ""], ["", cart]]) {
    assert.equal(await call(...values), "UNAUTHENTICATED");
  }
});

/** Metadata of a transport that keeps every value of a header. */
function evidence(headers: Record<string, readonly string[]>): CallEvidence {
  return { header: (name) => headers[name] ?? [], certificate: () => undefined };
}

Deno.test("token: two values of authorization are refused, the same one twice included", async () => {
  const issuer = await createIssuer();
  const admit = createAdmission({ mode: "token", verifyToken: issuer.verify, callers: CALLERS });
  const principal = systemPrincipal(crypto.randomUUID());
  const [cart = "", checkout = ""] = await Promise.all(
    ["cart-service", "checkout-service"].map(async (service) =>
      `Bearer ${await issuer.sign({ principal, service }, 60)}`
    ),
  );
  const groups = (...authorization: string[]) => admit("GetCustomerGroups", evidence({ authorization }));
  assert.equal((await groups(cart)).service, "cart-service");
  for (const values of [[cart, checkout], [checkout, cart], [cart, cart], [cart, ""], [`${cart}, ${cart}`]]) {
    await assert.rejects(async () => await groups(...values), { code: "UNAUTHENTICATED" });
  }
});

Deno.test("mesh: two values of x-store-id are refused, and forwarded certificates in several headers are one chain", async () => {
  const admit = createAdmission({ ...MESH, callers: CALLERS });
  const store = crypto.randomUUID();
  const groups = (xfcc: string[], ...stores: string[]) =>
    admit("GetCustomerGroups", evidence({ "x-forwarded-client-cert": xfcc, "x-store-id": stores }));
  assert.deepEqual(await groups([`URI=${CART}`], store), { service: "cart-service", storeId: store });
  await assert.rejects(async () => await groups([`URI=${CART}`], store, store), { code: "INVALID_INPUT" });
  assert.equal((await groups([`URI=${CHECKOUT}`, `URI=${CART}`])).service, "cart-service");
  await assert.rejects(async () => await groups([`URI=${CART}`, `URI=${CHECKOUT}`]), { code: "FORBIDDEN" });
});

Deno.test("mesh: a remembered caller is admitted at once, to its methods and in the store of each call", () => {
  const admit = createAdmission({ ...MESH, callers: CALLERS });
  const admitted = (uri: string, padding = "", ...stores: string[]) =>
    admit(
      "GetCustomerGroups",
      evidence({ "x-forwarded-client-cert": [`Hash=${padding};URI=${uri}`], "x-store-id": stores }),
    );
  const stores = [crypto.randomUUID(), crypto.randomUUID()];
  for (let turn = 0; turn < 3; turn++) {
    for (const storeId of stores) {
      assert.deepEqual(admitted(CART, "", storeId), { service: "cart-service", storeId }); // not a promise
    }
    assert.deepEqual(admitted(CART), { service: "cart-service", storeId: undefined });
    assert.throws(() => admitted(CHECKOUT), { code: "FORBIDDEN" });
    for (const uri of FOREIGN) assert.throws(() => admitted(uri), { code: "UNAUTHENTICATED" });
    assert.throws(() => admitted(CART, "", "a store"), { code: "INVALID_INPUT" });
  }
  for (let turn = 0; turn < 1_500; turn++) {
    assert.equal((admitted(CART, `${turn}${"0".repeat(turn * 2)}`) as Caller).service, "cart-service");
    assert.throws(() => admitted(CHECKOUT, String(turn)), { code: "FORBIDDEN" });
  }
});

Deno.test("mtls: the certificate of a connection is read once", () => {
  const admit = createAdmission({ ...MTLS, callers: CALLERS });
  const call = (raw: Uint8Array) =>
    admit("GetCustomerGroups", { header: () => [], certificate: () => ({ raw }) });
  const [cart, other, foreign] = [CART, CHECKOUT, FOREIGN[0]!].map((uri) => der(AUTHORITY.issue({ uri })));
  for (let turn = 0; turn < 2; turn++) {
    assert.deepEqual(call(cart!), { service: "cart-service", storeId: undefined });
    assert.throws(() => call(other!), { code: "FORBIDDEN" });
    assert.throws(() => call(foreign!), { code: "UNAUTHENTICATED" });
  }
  cart!.fill(0);
  assert.deepEqual(call(cart!), { service: "cart-service", storeId: undefined });
  assert.throws(() => call(cart!.slice()), { code: "UNAUTHENTICATED" });
});

/** The bytes of a certificate. */
function der({ certificate }: Identity): Uint8Array {
  return Uint8Array.fromBase64(certificate.replace(/-----[^-]+-----|\s/g, ""));
}

Deno.test("token: a service whose client ID is a UUID calls by its name, or by the ID where that is listed", async () => {
  const issuer = await createIssuer();
  const [mapped, listed, other] = [
    "3f0c2d1e-0000-4000-8000-000000000001",
    "9b0c2d1e-0000-4000-8000-000000000002",
    "a Client.ID",
  ];
  const admit = createAdmission({
    mode: "token",
    verifyToken: issuer.verify,
    clients: { [mapped]: "order-service" },
    callers: { ...CALLERS, GetCustomerGroups: ["cart-service", listed] },
  });
  const call = async (method: keyof typeof CALLERS, service: string) => {
    const token = await issuer.sign({ principal: systemPrincipal(crypto.randomUUID()), service }, 60);
    return await admit(method, evidence({ authorization: [`Bearer ${token}`] }));
  };
  assert.equal((await call("ConfirmErasure", mapped)).service, "order-service");
  assert.equal((await call("GetCustomerGroups", listed)).service, listed);
  assert.equal((await call("GetCustomerGroups", "cart-service")).service, "cart-service");
  // A client that has registered itself under the name of a service.
  await assert.rejects(call("ConfirmErasure", "order-service"), { code: "FORBIDDEN" });
  for (const service of [mapped, other, "constructor"]) {
    await assert.rejects(call("GetCustomerGroups", service), { code: "FORBIDDEN" });
  }
});

Deno.test("the store header of a mesh's call limits it to that store", async () => {
  await using house = await serveWith(MESH);
  const { customer } = house;
  const call = (store: string): CallOptions => ({
    metadata: { "x-forwarded-client-cert": `URI=${CART}`, "x-store-id": store },
  });
  const ask = async (store: string) => await house.client.groups(asked(customer), call(store));
  assert.equal((await ask(customer.storeId)).status, "OK");
  assert.equal((await ask(customer.storeId.toUpperCase())).status, "OK");
  const elsewhere = crypto.randomUUID();
  const { status, details } = await ask(elsewhere);
  assert.equal(status, "PERMISSION_DENIED");
  assert.equal(
    details,
    `Cannot look into store ${customer.storeId}: cart-service calls for store ${elsewhere}`,
  );
  for (const malformed of ["", "x", `${customer.storeId},${customer.storeId}`]) {
    assert.equal((await ask(malformed)).status, "INVALID_ARGUMENT");
  }
});

Deno.test("none: any caller may call everything, and headers prove nothing", async () => {
  await using house = await serveWith({ mode: "none" });
  const metadata = { "x-forwarded-client-cert": "rubbish", authorization: "Bearer forged" };
  assert.equal((await house.client.groups(asked(house.customer), { metadata })).status, "OK");
  assert.equal((await house.client.snapshot(asked(house.customer))).status, "OK");
});

Deno.test("a service named anonymous is not an anonymous caller", async () => {
  await using house = await serveWith(MESH);
  const metadata = { "x-forwarded-client-cert": "URI=spiffe://cluster.local/ns/shop/sa/anonymous" };
  assert.equal((await house.client.groups(asked(house.customer), { metadata })).status, "PERMISSION_DENIED");
});

const AUTHORITY = createAuthority("mesh authority");
const SERVER = AUTHORITY.issue({ dns: "localhost" }, { ip: "127.0.0.1" });

/** @param tls an authority whose certificates callers must have, or the server's own identity only */
async function serveWith(admission: CallerProof, tls?: { certificate: string; key?: string }) {
  await using stack = new AsyncDisposableStack();
  const db = stack.use(await createDatabase());
  const customer = await arrangeCustomer(db.admin, { groups: [{}] });
  const options: Partial<GrpcOptions> = {
    admit: createAdmission({ ...admission, callers: CALLERS }),
    tls: tls && (tls.key === undefined ? { ...SERVER, clientCa: tls.certificate } : SERVER),
  };
  const server = stack.use(await serveLookups(db, options));
  const running = stack.move();
  return {
    ...server,
    db,
    customer,
    connect(identity: Identity | undefined) {
      return connect(server.port, { ca: AUTHORITY.certificate, ...identity });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
