/** Expectations of both gateways, the development gateway and the real router. */
import assert from "node:assert/strict";
import type { GatewayFixture } from "./fixture.ts";

const ADDRESS = { line1: "Seestrasse 1", city: "Thun", country: "CH" };
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";

export const EXPECTATIONS: Record<string, (fixture: GatewayFixture) => Promise<void>> = {
  async "me comes from customer-service and its orders from order-service, in one query"({ ask, ada }) {
    const { data, errors } = await ask(`{ me { email orders { id total } } }`, { as: ada });
    assert.equal(errors, undefined);
    assert.deepEqual(data, { me: { email: ada.email, orders: [{ id: "1", total: "12.00 CHF" }] } });
  },

  async "concurrent equal queries of different shoppers each return their own data"({ ask, ada, eve }) {
    const twenty = Array.from({ length: 20 }, (_, at) => at % 2 ? ada : eve);
    await Promise.all(twenty.map(async (as) => {
      const { data } = await ask(`{ me { id email orders { id } } }`, { as });
      assert.deepEqual([data.me.id, data.me.email, data.me.orders.length], [as.id, as.email, 1]);
    }));
  },

  async "a query without a token is refused with UNAUTHENTICATED by both subgraphs"({ ask }) {
    const { data, codes } = await ask(`{ me { email } order(id: "1") { total } }`);
    assert.deepEqual(data, { me: null, order: null });
    assert.deepEqual(codes, ["UNAUTHENTICATED", "UNAUTHENTICATED"]);
  },

  async "an error of me does not affect the rest of the response"({ ask, stranger }) {
    const { data, errors, codes } = await ask(`{ me { email } order(id: "3") { total } }`, { as: stranger });
    assert.deepEqual(data, { me: null, order: { total: "5.00 CHF" } });
    assert.deepEqual([codes, errors?.[0]?.path], [["NOT_FOUND"], ["me"]]);
  },

  async "a customer that an order refers to is returned to that customer only"({ ask, ada, eve }) {
    const query = (id: string) =>
      `{ order(id: "${id}") { total recipient { id email addresses { city } } } }`;
    const own = await ask(query("1"), { as: ada });
    assert.equal(own.errors, undefined);
    assert.equal(own.data.order.recipient.email, ada.email);
    const others = await ask(query("2"), { as: eve });
    assert.equal(others.data.order.total, "9.00 CHF");
    assert.ok(others.codes.includes("FORBIDDEN"));
    assert.ok(!others.text.includes(ada.email));
  },

  async "invalid input and unknown IDs are refused with their codes, without quoting the input"(
    { ask, ada },
  ) {
    const wrong = await ask(
      `mutation { updateProfile(input: { phone: "0445551234" }) { customer { version } } }`,
      {
        as: ada,
      },
    );
    assert.deepEqual(wrong.codes, ["BAD_USER_INPUT"]);
    assert.match(wrong.errors?.[0]?.message ?? "", /phone/);
    assert.ok(!wrong.text.includes("0445551234"));
    const unknown = await ask(`{ gdprRequest(id: "${crypto.randomUUID()}") { status } }`, { as: ada });
    assert.deepEqual(unknown.codes, ["NOT_FOUND"]);
  },

  async "a mutation is applied, and orders are resolved from its result"({ ask, ada }) {
    const before = await ask(`{ me { version } }`, { as: ada });
    const { version } = before.data.me;
    const { data, errors } = await ask(
      `mutation ($expected: Int) {
        updateProfile(input: { firstName: "Augusta" }, expectedVersion: $expected) { customer { firstName version orders { id } } }
      }`,
      { as: ada, variables: { expected: version } },
    );
    assert.equal(errors, undefined);
    const changed = { firstName: "Augusta", version: version + 1, orders: [{ id: "1" }] };
    assert.deepEqual(data, { updateProfile: { customer: changed } });
    const stale = await ask(
      `mutation { updateProfile(input: { locale: "de-CH" }, expectedVersion: ${version}) { customer { version } } }`,
      { as: ada },
    );
    assert.deepEqual(stale.codes, ["CONFLICT"]);
  },

  async "a mutation that is repeated with its idempotency key is applied once"({ ask, ada }) {
    const count = async () =>
      (await ask(`{ me { addresses { id } } }`, { as: ada })).data.me.addresses.length;
    const before = await count();
    const add = `mutation ($input: AddAddressInput!) { addAddress(input: $input) { address { id city } } }`;
    const options = {
      as: ada,
      variables: { input: ADDRESS },
      headers: { "idempotency-key": crypto.randomUUID() },
    };
    const first = await ask(add, options);
    const again = await ask(add, options);
    assert.equal(first.data.addAddress.address.city, ADDRESS.city);
    assert.deepEqual(again.data, first.data);
    assert.equal(await count(), before + 1);
  },

  async "the trace and the platform's headers reach both subgraphs, cookies and other headers reach none"(
    fixture,
  ) {
    const { ask, ada, requests } = fixture;
    const { errors } = await ask(`{ me { email orders { id } } }`, {
      as: ada,
      headers: {
        traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`,
        cookie: "session=1",
        "x-forwarded-client-cert": "URI=spiffe://platform.example/sa/cart-service",
        "x-store-id": "a-store",
        "x-user-id": "a-user",
        "x-principal-type": "a-type",
        "x-roles": "a-role",
        "x-auth-time": "a-time",
        "x-gateway-secret": "a-secret",
      },
    });
    assert.equal(errors, undefined);
    for (const headers of [requests.customer.at(-1), requests.order.at(-1)]) {
      assert.equal(headers?.get("traceparent")?.split("-")[1], TRACE_ID);
      const names = ["x-store-id", "x-user-id", "x-principal-type", "x-roles", "x-auth-time"];
      const values = ["a-store", "a-user", "a-type", "a-role", "a-time"];
      assert.deepEqual(names.map((name) => headers?.get(name)), values);
      const secret = headers === requests.customer.at(-1) ? "a-secret" : null;
      assert.equal(headers?.get("x-gateway-secret"), secret);
      assert.deepEqual([headers?.get("cookie"), headers?.get("x-forwarded-client-cert")], [null, null]);
    }
  },

  async "the principal is that of the token, not of the headers"({ ask, ada, eve }) {
    const headers = { "x-user-id": ada.id, "x-principal-type": "CUSTOMER" };
    const { data } = await ask(`{ me { email } }`, { as: eve, headers });
    assert.deepEqual(data, { me: { email: eve.email } });
  },

  async "without order-service, me is answered except for its orders"({ ask, ada, shutDown }) {
    await shutDown("order");
    const { data, errors, codes } = await ask(`{ me { email orders { id } } }`, { as: ada });
    assert.deepEqual(data, { me: { email: ada.email, orders: null } });
    assert.equal(errors?.[0]?.path?.[0], "me");
    assert.deepEqual(codes, ["SUBREQUEST_HTTP_ERROR"]);
  },

  async "without customer-service, the response has an error code and no stack"(fixture) {
    const { ask, ada, shutDown } = fixture;
    await shutDown("customer");
    const { data, codes, text } = await ask(`{ me { email } }`, { as: ada });
    assert.ok(!data?.me);
    assert.deepEqual(codes, ["SUBREQUEST_HTTP_ERROR"]);
    assert.doesNotMatch(text, /\.[jt]s:\d|stack/);
  },
};
