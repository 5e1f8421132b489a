/** Who may call: every way of proving it, over real connections. */
import assert from "node:assert/strict";
import type { PrincipalType } from "../../actors/principal.ts";
import { type AdmissionOptions, createAdmission } from "../../auth/callers.ts";
import { openDevelopmentIssuer } from "../../auth/development_issuer.ts";
import type { GrpcOptions, MethodName } from "../../rpc/server.ts";
import { createDatabase } from "../database.ts";
import { arrangeCustomer } from "./arrange.ts";
import { type AltName, createAuthority, type Identity } from "./certificates.ts";
import { asked, type CallOptions, connect } from "./client.ts";
import { serveLookups } from "./serve.ts";

const CALLERS = {
  GetCustomerGroups: ["cart-service"],
  GetCustomerSnapshot: ["checkout-service"],
  ConfirmErasure: ["order-service"],
};
const CART = "spiffe://cluster.local/ns/shop/sa/cart-service";
const CHECKOUT = "spiffe://cluster.local/ns/shop/sa/checkout-service";

Deno.test("mtls: a service is who its certificate says, and calls what it may", async (t) => {
  await using house = await serveWith({ mode: "mtls" }, AUTHORITY);
  const { customer } = house;
  const cases: { who: string; names: AltName[]; status: string; snapshot?: string }[] = [
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

Deno.test("mtls: without a certificate of the authority the handshake fails, whatever the headers say", async () => {
  await using house = await serveWith({ mode: "mtls" }, AUTHORITY);
  const forged = { "x-forwarded-client-cert": `URI=${CART}`, authorization: "Bearer cart" };
  for (const identity of [undefined, createAuthority("another").issue({ uri: CART })]) {
    using client = house.connect(identity);
    const { status } = await client.groups(asked(house.customer), { metadata: forged, withinMs: 2_000 });
    assert.ok(["UNAVAILABLE", "DEADLINE_EXCEEDED"].includes(status), status);
    assert.notEqual(await client.health(), "NOT_SERVING");
  }
});

Deno.test("mtls: a plain-text client is not served", async () => {
  await using house = await serveWith({ mode: "mtls" }, AUTHORITY);
  using client = connect(house.port);
  const { status } = await client.groups(asked(house.customer), { withinMs: 2_000 });
  assert.ok(["UNAVAILABLE", "DEADLINE_EXCEEDED"].includes(status), status);
});

Deno.test("mesh: the nearest proxy's word counts, and only when it is whole", async (t) => {
  await using house = await serveWith({ mode: "mesh" });
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

Deno.test("mesh: the longest header that can arrive is read without delay", async () => {
  await using house = await serveWith({ mode: "mesh" });
  for (const part of [" ", "a", '\\"', "=", "a=b;"]) {
    const metadata = { "x-forwarded-client-cert": `Subject="${part.repeat(12_000 / part.length)}` };
    const started = performance.now();
    const { status } = await house.client.groups(asked(house.customer), { metadata });
    assert.equal(status, "UNAUTHENTICATED");
    assert.ok(performance.now() - started < 5_000);
  }
});

Deno.test("token: a service's token opens its methods and its store", async (t) => {
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
      what: "a system that is no service",
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

Deno.test("the store of a mesh's call binds it where there is one", async () => {
  await using house = await serveWith({ mode: "mesh" });
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

Deno.test("none: anybody may call everything, and headers prove nothing", async () => {
  await using house = await serveWith({ mode: "none" });
  const metadata = { "x-forwarded-client-cert": "rubbish", authorization: "Bearer forged" };
  assert.equal((await house.client.groups(asked(house.customer), { metadata })).status, "OK");
  assert.equal((await house.client.snapshot(asked(house.customer))).status, "OK");
});

Deno.test("a service named like nobody is not taken for anybody", async () => {
  await using house = await serveWith({ mode: "mesh" });
  const metadata = { "x-forwarded-client-cert": "URI=spiffe://cluster.local/ns/x/sa/anonymous" };
  assert.equal((await house.client.groups(asked(house.customer), { metadata })).status, "PERMISSION_DENIED");
});

const AUTHORITY = createAuthority("mesh authority");
const SERVER = AUTHORITY.issue({ dns: "localhost" }, { ip: "127.0.0.1" });

async function serveWith(
  admission: Omit<AdmissionOptions<MethodName>, "callers">,
  authority?: { certificate: string },
) {
  await using stack = new AsyncDisposableStack();
  const db = stack.use(await createDatabase());
  const customer = await arrangeCustomer(db.admin, { groups: [{}] });
  const options: Partial<GrpcOptions> = {
    admit: createAdmission({ ...admission, callers: CALLERS }),
    tls: authority && { ...SERVER, clientCa: authority.certificate },
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
