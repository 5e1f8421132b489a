/** The repetitions of the samples' HTTP client, against a server that is busy at first. */
import assert from "node:assert/strict";
import { send } from "../../examples/typescript/send.ts";

const OPTIONS = { timeoutMs: 10_000, patienceMs: 1_000 };

Deno.test("send repeats a change under the same key while the service is busy", async () => {
  const keys: (string | null)[] = [];
  await using server = serve((request) => {
    keys.push(request.headers.get("idempotency-key"));
    return keys.length < 3 ? busy(keys.length === 1 ? 429 : 503, 0) : new Response("done");
  });
  const init = { method: "POST", headers: { "idempotency-key": "k" } };
  const response = await send(server.url, init, OPTIONS);
  assert.equal(await response.text(), "done");
  assert.deepEqual(keys, ["k", "k", "k"]);
});

Deno.test("send gives up after four attempts", async () => {
  let attempts = 0;
  await using server = serve(() => {
    attempts++;
    return busy(503, 0);
  });
  const response = await send(server.url, {}, OPTIONS);
  await response.body?.cancel();
  assert.equal(response.status, 503);
  assert.equal(attempts, 4);
});

Deno.test("send does not wait longer than its caller has patience, nor repeat what was refused", async () => {
  for (const answer of [() => busy(429, 30), () => new Response(null, { status: 409 })]) {
    let attempts = 0;
    await using server = serve(() => {
      attempts++;
      return answer();
    });
    const response = await send(server.url, {}, OPTIONS);
    await response.body?.cancel();
    assert.equal(attempts, 1);
  }
});

function busy(status: 429 | 503, seconds: number): Response {
  return new Response(null, { status, headers: { "retry-after": String(seconds) } });
}

function serve(answer: (request: Request) => Response) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  return {
    url: new URL(`http://127.0.0.1:${server.addr.port}`),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
