import assert from "node:assert/strict";
import { tour } from "../demo/tour.ts";
import { createIssuer } from "./graph/server.ts";

Deno.test("the calls in the tour reach the service on any bind address", async () => {
  const issuer = await createIssuer();
  const hosts = {
    "127.0.0.1": "127.0.0.1",
    "0.0.0.0": "127.0.0.1",
    "localhost": "localhost",
    "::1": "[::1]",
    "::": "[::1]",
  };
  for (const [bind, host] of Object.entries(hosts)) {
    const options = { bind, httpPort: 4000, grpcPort: 50051, signInCode: "c0de", database: "", events: "" };
    const text = await tour(options, issuer);
    const urls = text.match(/http:\/\/\S+/g) ?? [];
    assert.deepEqual([...new Set(urls.map((url) => new URL(url).hostname))], [host]);
    assert.equal(urls.length, 7);
    assert.ok(urls.includes(`http://${host}:4000/inspect/sign-in?code=c0de`));
  }
});
