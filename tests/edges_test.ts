/** Edges that are loaded when the service is ready. */
import assert from "node:assert/strict";
import { Hono } from "@hono/hono";
import { createHealthApp, createLazyEdges, type Edges } from "../edges.ts";
import { DELAY_LIMIT_MS, monitorLoad } from "../http/load_shedding.ts";

const INFO = {
  remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
  completed: Promise.resolve(),
};
const HTTP = { trustedProxies: 0, ratePerPrincipal: 0, ratePerAddress: 0, corsOrigins: [] };

function createHealth(isReady: boolean): Hono {
  return createHealthApp(HTTP, {
    ready: () => Promise.resolve(isReady),
    restored: () => false,
    warning: () => undefined,
    draining: new AbortController().signal,
  });
}

Deno.test("health checks are answered before the edges are loaded, and other requests wait for them", async () => {
  const calls: string[] = [];
  const loading = Promise.withResolvers<Edges>();
  const lazy = createLazyEdges(createHealth(true), () => {
    calls.push("load");
    return loading.promise;
  });
  const ask = async (path: string) =>
    await (await lazy.fetch(new Request(`http://host${path}`), INFO as Deno.ServeHandlerInfo<Deno.NetAddr>))
      .text();
  assert.equal(await ask("/readyz"), "ready\n");
  assert.equal(await ask("/healthz?verbose"), "alive\n");
  lazy.wake();
  lazy.close();
  assert.equal(calls.length, 0);

  const waiting = [ask("/customers"), ask("/graphql?path=/readyz")];
  assert.equal(await ask("/readyz"), "ready\n");
  const app = new Hono().all("*", (c) => c.text(`loaded ${c.req.path}`));
  const inspector = { wake: () => calls.push("wake"), close: () => calls.push("close") };
  loading.resolve({ app, inspector });
  assert.deepEqual(await Promise.all(waiting), ["loaded /customers", "loaded /graphql"]);
  assert.equal(await ask("/readyz"), "loaded /readyz");
  lazy.wake();
  lazy.close();
  assert.deepEqual(calls, ["load", "wake", "close"]);
});

Deno.test("edges that cannot be loaded refuse the request that waits", async () => {
  const lazy = createLazyEdges(createHealth(false), () => Promise.reject(new Error("no module")));
  const ask = (path: string) =>
    lazy.fetch(new Request(`http://host${path}`), INFO as Deno.ServeHandlerInfo<Deno.NetAddr>);
  await assert.rejects(async () => await ask("/customers"), /no module/);
  assert.equal((await ask("/readyz")).status, 503);
});

Deno.test("edges that cannot be loaded end the process, also if a request was the first to need them", async () => {
  const lazy = createLazyEdges(createHealth(false), () => Promise.reject(new Error("no module")));
  const uncaught = Promise.withResolvers<unknown>();
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    uncaught.resolve(event.reason);
  };
  addEventListener("unhandledrejection", listener);
  try {
    lazy.loadSoon();
    const request = new Request("http://host/customers");
    await assert.rejects(
      async () => await lazy.fetch(request, INFO as Deno.ServeHandlerInfo<Deno.NetAddr>),
      /no module/,
    );
    assert.match(String(await uncaught.promise), /no module/);
  } finally {
    removeEventListener("unhandledrejection", listener);
  }
});

Deno.test("a delay of the event loop counts as overload, unless it is that of loading modules", async () => {
  using load = monitorLoad();
  const turn = () => new Promise((resolve) => setTimeout(resolve, 110));
  const block = () => {
    for (const until = performance.now() + DELAY_LIMIT_MS; performance.now() < until;);
  };
  await load.ignoring(async () => {
    await turn();
    block();
    await turn();
  });
  const ignored = load.delayMs();
  block();
  await turn();
  assert.ok(ignored < load.delayMs() / 2, `${ignored} of ${load.delayMs()}`);
  assert.ok(load.delayMs() > DELAY_LIMIT_MS / 6);
});
