/** What deploy/router/router.yaml adds to what both gateways promise. */
import assert from "node:assert/strict";
import { eventually } from "../eventually.ts";
import { JSON_BODY } from "../graph/post.ts";
import type { Router } from "./router_process.ts";
import type { Setting } from "./setting.ts";

export interface RouterSetting extends Setting {
  router: Router;
  /** What has been sent to the OpenTelemetry collector, by path. */
  collected: Map<string, string>;
}

/** Stands in an operation's text, where clients should not put such a thing and some do. */
const LITERAL = "Lovelace-in-the-text";

export const ROUTER_PROMISES: Record<string, (setting: RouterSetting) => Promise<void>> = {
  async "it is healthy, and has no page to show"({ router }) {
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

  async "what is too large never reaches a subgraph"({ ask, ada, seen }) {
    const before = seen.customer.length;
    const body = await ask(`{ me { email } }`, { as: ada, variables: { unused: "x".repeat(110_000) } });
    assert.equal(body.status, 413);
    const tokens = await ask(`{ me { ${"email ".repeat(2_100)} } }`, { as: ada });
    assert.equal(tokens.status, 400);
    const nested = `${"{ ... on Customer ".repeat(80)} { email } ${"}".repeat(80)}`;
    const depth = await ask(`{ me ${nested} }`, { as: ada });
    assert.equal(depth.status, 400);
    assert.equal(seen.customer.length, before);
  },

  async "a page of another site can neither read nor send"({ router, ada }) {
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

  async "an operation that was sent once is known by its hash"({ router, ada }) {
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

  async "traces and metrics reach the collector, and neither they nor the log hold a personal value"(
    setting,
  ) {
    const { ask, ada, router, collected } = setting;
    const { errors } = await ask(
      `mutation { updateProfile(input: { lastName: "${LITERAL}" }) { lastName } }`,
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
