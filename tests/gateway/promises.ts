/** What holds before both gateways, the one of development and the real router: each a name and what proves it. */
import assert from "node:assert/strict";
import type { Setting } from "./setting.ts";

const ADDRESS = { line1: "Seestrasse 1", city: "Thun", country: "CH" };
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";

export const PROMISES: Record<string, (setting: Setting) => Promise<void>> = {
  async "me comes from customer-service and its orders from order-service, in one query"({ ask, ada }) {
    const { data, errors } = await ask(`{ me { email orders { id total } } }`, { as: ada });
    assert.equal(errors, undefined);
    assert.deepEqual(data, { me: { email: ada.email, orders: [{ id: "1", total: "12.00 CHF" }] } });
  },

  async "shoppers who ask the same at the same time each get their own"({ ask, ada, eve }) {
    const twenty = Array.from({ length: 20 }, (_, at) => at % 2 ? ada : eve);
    await Promise.all(twenty.map(async (as) => {
      const { data } = await ask(`{ me { id email orders { id } } }`, { as });
      assert.deepEqual([data.me.id, data.me.email, data.me.orders.length], [as.id, as.email, 1]);
    }));
  },

  async "nobody at all is refused with UNAUTHENTICATED, by both subgraphs"({ ask }) {
    const { data, codes } = await ask(`{ me { email } order(id: "1") { total } }`);
    assert.deepEqual(data, { me: null, order: null });
    assert.deepEqual(codes, ["UNAUTHENTICATED", "UNAUTHENTICATED"]);
  },

  async "a me that is not found leaves the rest of the answer as it is"({ ask, stranger }) {
    const { data, errors, codes } = await ask(`{ me { email } order(id: "3") { total } }`, { as: stranger });
    assert.deepEqual(data, { me: null, order: { total: "5.00 CHF" } });
    assert.deepEqual([codes, errors?.[0]?.path], [["NOT_FOUND"], ["me"]]);
  },

  async "a customer that an order refers to is given to that customer alone"({ ask, ada, eve }) {
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

  async "bad input and unknown ids come back with their codes, and without what was put in"({ ask, ada }) {
    const wrong = await ask(`mutation { updateProfile(input: { phone: "0445551234" }) { version } }`, {
      as: ada,
    });
    assert.deepEqual(wrong.codes, ["BAD_USER_INPUT"]);
    assert.match(wrong.errors?.[0]?.message ?? "", /phone/);
    assert.ok(!wrong.text.includes("0445551234"));
    const unknown = await ask(`{ gdprRequest(id: "${crypto.randomUUID()}") { status } }`, { as: ada });
    assert.deepEqual(unknown.codes, ["NOT_FOUND"]);
  },

  async "a change is made, and orders are read from what it gives"({ ask, ada }) {
    const before = await ask(`{ me { version } }`, { as: ada });
    const { version } = before.data.me;
    const { data, errors } = await ask(
      `mutation ($expected: Int) {
        updateProfile(input: { firstName: "Augusta" }, expectedVersion: $expected) { firstName version orders { id } }
      }`,
      { as: ada, variables: { expected: version } },
    );
    assert.equal(errors, undefined);
    const changed = { firstName: "Augusta", version: version + 1, orders: [{ id: "1" }] };
    assert.deepEqual(data, { updateProfile: changed });
    const stale = await ask(
      `mutation { updateProfile(input: { locale: "de-CH" }, expectedVersion: ${version}) { version } }`,
      { as: ada },
    );
    assert.deepEqual(stale.codes, ["CONFLICT"]);
  },

  async "a change that is repeated under its idempotency key is made once"({ ask, ada }) {
    const count = async () =>
      (await ask(`{ me { addresses { id } } }`, { as: ada })).data.me.addresses.length;
    const before = await count();
    const add = `mutation ($input: AddAddressInput!) { addAddress(input: $input) { id city } }`;
    const asked = {
      as: ada,
      variables: { input: ADDRESS },
      headers: { "idempotency-key": crypto.randomUUID() },
    };
    const first = await ask(add, asked);
    const again = await ask(add, asked);
    assert.equal(first.data.addAddress.city, ADDRESS.city);
    assert.deepEqual(again.data, first.data);
    assert.equal(await count(), before + 1);
  },

  async "a trace and the platform's headers reach both subgraphs, cookies and the rest reach none"(setting) {
    const { ask, ada, seen } = setting;
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
        "x-gateway-secret": "a-secret",
      },
    });
    assert.equal(errors, undefined);
    for (const headers of [seen.customer.at(-1), seen.order.at(-1)]) {
      assert.equal(headers?.get("traceparent")?.split("-")[1], TRACE_ID);
      const names = ["x-store-id", "x-user-id", "x-principal-type", "x-roles"];
      assert.deepEqual(names.map((name) => headers?.get(name)), ["a-store", "a-user", "a-type", "a-role"]);
      const secret = headers === seen.customer.at(-1) ? "a-secret" : null;
      assert.equal(headers?.get("x-gateway-secret"), secret);
      assert.deepEqual([headers?.get("cookie"), headers?.get("x-forwarded-client-cert")], [null, null]);
    }
  },

  async "who says in headers to be somebody else is still who the token names"({ ask, ada, eve }) {
    const headers = { "x-user-id": ada.id, "x-principal-type": "CUSTOMER" };
    const { data } = await ask(`{ me { email } }`, { as: eve, headers });
    assert.deepEqual(data, { me: { email: eve.email } });
  },

  async "with order-service away, me is answered but for its orders"({ ask, ada, takeAway }) {
    await takeAway("order");
    const { data, errors, codes } = await ask(`{ me { email orders { id } } }`, { as: ada });
    assert.deepEqual(data, { me: { email: ada.email, orders: null } });
    assert.equal(errors?.[0]?.path?.[0], "me");
    assert.deepEqual(codes, ["SUBREQUEST_HTTP_ERROR"]);
  },

  async "with customer-service away, the answer says so, with a code and without a stack"(setting) {
    const { ask, ada, takeAway } = setting;
    await takeAway("customer");
    const { data, codes, text } = await ask(`{ me { email } }`, { as: ada });
    assert.ok(!data?.me);
    assert.deepEqual(codes, ["SUBREQUEST_HTTP_ERROR"]);
    assert.doesNotMatch(text, /\.[jt]s:\d|stack/);
  },
};
