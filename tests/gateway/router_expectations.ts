/** Additional expectations of the router, from deploy/router/router.yaml. */
import assert from "node:assert/strict";
import { eventually } from "../eventually.ts";
import { JSON_BODY } from "../graph/post.ts";
import type { Router } from "./router_process.ts";
import type { GatewayFixture } from "./fixture.ts";

export interface RouterFixture extends GatewayFixture {
  router: Router;
  /** Bodies sent to the OpenTelemetry collector, by path. */
  collected: Map<string, string>;
}

/** A personal value in the text of an operation, where some clients put it although they should not. */
const LITERAL = "Lovelace-in-the-text";

export const ROUTER_EXPECTATIONS: Record<string, (fixture: RouterFixture) => Promise<void>> = {
  async "the router is healthy and has no page"({ router }) {
    await eventually(async () => {
      assert.deepEqual(await (await fetch(router.healthUrl)).json(), { status: "UP" });
    });
    for (const path of ["/", "/graphql"]) {
      const response = await fetch(new URL(path, router.url), { headers: { accept: "text/html" } });
      await response.body?.cancel();
      assert.ok(response.status >= 400, `${path} answers ${response.status}`);
    }
  },

  async "introspection is off"({ ask, ada }) {
    const { data, codes } = await ask(`{ __schema { types { name } } }`, { as: ada });
    assert.ok(!data?.__schema);
    assert.equal(codes.length, 1);
  },

  async "an operation that is too large reaches no subgraph"({ ask, ada, requests }) {
    const before = requests.customer.length;
    const body = await ask(`{ me { email } }`, { as: ada, variables: { unused: "x".repeat(110_000) } });
    assert.equal(body.status, 413);
    const tokens = await ask(`{ me { ${"email ".repeat(2_100)} } }`, { as: ada });
    assert.equal(tokens.status, 400);
    const nested = `${"{ ... on Customer ".repeat(80)} { email } ${"}".repeat(80)}`;
    const depth = await ask(`{ me ${nested} }`, { as: ada });
    assert.equal(depth.status, 400);
    assert.equal(requests.customer.length, before);
  },

  async "a page of another site can neither read responses nor send mutations"({ router, ada }) {
    const { authorization } = ada;
    const origin = "https://elsewhere.example";
    const asks = {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    };
    const preflight = await fetch(router.url, { method: "OPTIONS", headers: asks });
    await preflight.body?.cancel();
    assert.equal(preflight.headers.get("access-control-allow-origin"), null);
    const body = JSON.stringify({ query: `{ me { email } }` });
    const headers = { ...JSON_BODY, authorization, origin };
    const read = await fetch(router.url, { method: "POST", headers, body });
    await read.body?.cancel();
    assert.equal(read.headers.get("access-control-allow-origin"), null);
    const sent = await fetch(router.url, { method: "POST", headers: { "content-type": "text/plain" }, body });
    await sent.body?.cancel();
    assert.ok(sent.status >= 400, `a form answers ${sent.status}`);
  },

  async "a persisted operation can be sent by its hash"({ router, ada }) {
    const query = `query Persisted { me { email } }`;
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(query));
    const sha256Hash = new Uint8Array(digest).toHex();
    const extensions = { persistedQuery: { version: 1, sha256Hash } };
    const headers = { ...JSON_BODY, authorization: ada.authorization };
    const send = async (body: object) => {
      const response = await fetch(router.url, { method: "POST", headers, body: JSON.stringify(body) });
      return await response.json();
    };
    assert.equal((await send({ extensions })).errors[0].extensions.code, "PERSISTED_QUERY_NOT_FOUND");
    assert.deepEqual((await send({ query, extensions })).data, { me: { email: ada.email } });
    assert.deepEqual((await send({ extensions })).data, { me: { email: ada.email } });
  },

  async "traces and metrics reach the collector, without personal values in them or in the log"(
    fixture,
  ) {
    const { ask, ada, router, collected } = fixture;
    const { errors } = await ask(
      `mutation { updateProfile(input: { lastName: "${LITERAL}" }) { customer { lastName } } }`,
      {
        as: ada,
      },
    );
    assert.equal(errors, undefined);
    await eventually(() => {
      assert.deepEqual([...collected.keys()].sort(), ["/v1/metrics", "/v1/traces"]);
      assert.match(collected.get("/v1/traces") ?? "", /subgraph/);
    }, 90_000);
    for (const text of [...collected.values(), router.log()]) {
      assert.ok(!text.includes(LITERAL) && !text.includes(ada.email) && !text.includes(ada.authorization));
    }
  },
};
