/** Network addresses of clients reach the authentication, which counts invalid tokens by them. */
import assert from "node:assert/strict";
import { DomainError } from "../../domain/errors.ts";
import { createGraph, type GraphOptions } from "../../graph/mod.ts";
import { identifyAddress } from "../../http/address.ts";
import { createBodyReader } from "../../http/body_reader.ts";
import { createHttpApp } from "../../http/mod.ts";
import { JSON_BODY, post, serve } from "./server.ts";

Deno.test("each of many concurrent queries is authenticated with the address of its own client", async () => {
  const seen = new Map<string, string | undefined>();
  const unused = {} as Omit<GraphOptions, "authenticate" | "bodies" | "production">;
  const graph = createGraph({
    ...unused,
    authenticate: async (headers, address) => {
      await Promise.resolve();
      seen.set(headers.get("authorization")!, address);
      throw new DomainError("UNAUTHENTICATED", "Cannot authenticate the request: it is a test");
    },
    bodies: createBodyReader({ proxies: 1 }),
    production: true,
  });
  const app = createHttpApp({ corsOrigins: [] }).use(identifyAddress(1)).route("/graphql", graph);
  await using server = serve(app);
  const url = `http://127.0.0.1:${server.addr.port}/graphql`;
  const addresses = Array.from({ length: 30 }, (_, at) => `192.0.2.${at + 1}`);
  const replies = await Promise.all(
    addresses.map((address) =>
      post(url, JSON.stringify({ query: "{ me { id } }" }), {
        ...JSON_BODY,
        authorization: `Bearer ${address}`,
        "x-forwarded-for": address,
      })
    ),
  );
  for (const { codes } of replies) assert.deepEqual(codes, ["UNAUTHENTICATED"]);
  assert.deepEqual(
    addresses.map((address) => seen.get(`Bearer ${address}`)),
    addresses,
  );
});
