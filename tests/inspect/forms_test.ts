/** Forms are held to a size and to a time before anything is done about them, whoever sends them. */
import assert from "node:assert/strict";
import { Hono } from "@hono/hono";
import { takeForms } from "../../inspect/forms.ts";
import { textOf } from "./request_pages.ts";
import { startInspector, type TestInspector } from "./server.ts";

const KIB = 1_024;

function send({ origin }: TestInspector, path: string, body: BodyInit): Promise<Response> {
  const headers = { origin, accept: "text/html", "content-type": "application/x-www-form-urlencoded" };
  return fetch(`${origin}${path}`, { method: "POST", body, headers, redirect: "manual" });
}

Deno.test("a form with more than any of ours has is refused in words, and not read to its end", async () => {
  await using inspector = await startInspector();
  const paths = [["/inspect/sign-in", 8], ["/inspect/retry", 1_024], [
    `/inspect/requests/${crypto.randomUUID()}`,
    100,
  ]] as const;
  for (const [path, most] of paths) {
    const tooMuch = await send(inspector, path, `token=${"x".repeat(most * KIB)}`);
    assert.match(
      textOf(await tooMuch.text()),
      new RegExp(`has more than ${most} KiB\\. Nothing has been done`),
    );
    assert.equal(tooMuch.status, 413, path);
    const enough = await send(inspector, path, `token=${"x".repeat(most * KIB - 6)}`);
    assert.equal(enough.status, 401, path);
    await enough.body?.cancel();
  }
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      if ((sent += 64 * KIB) > 100 * KIB * KIB) controller.close();
      else controller.enqueue(new Uint8Array(64 * KIB).fill(120));
    },
  });
  const answer = await send(inspector, "/inspect/sign-in", endless).catch(() => undefined);
  await answer?.body?.cancel();
  assert.ok(answer === undefined || answer.status === 413, `${answer?.status}`);
  assert.ok(sent < 20 * KIB * KIB, `${sent} bytes were taken`);
});

Deno.test("a form that does not arrive is not waited for", async () => {
  const app = new Hono().use(takeForms(20)).post("/form", async (c) => c.text(await c.req.text()));
  const { port, hostname } = { port: 0, hostname: "127.0.0.1" };
  await using server = Deno.serve({ port, hostname, onListen() {} }, app.fetch);
  const never = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await never.promise;
      controller.close();
    },
  });
  const url = `http://127.0.0.1:${server.addr.port}/form`;
  const late = await fetch(url, { method: "POST", body });
  assert.equal(late.status, 408);
  assert.match(await late.text(), /has not arrived within 0\.02 seconds/);
  never.resolve();
  const whole = await fetch(url, { method: "POST", body: "token=x" });
  assert.equal(await whole.text(), "token=x");
});

Deno.test("a form that is on its way takes no place among what is worked on", async () => {
  let admitted = 0;
  await using inspector = await startInspector({
    admit: (_, next) => {
      admitted++;
      return next();
    },
  });
  const rest = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const text = new TextEncoder();
  const slow = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(text.encode("token="));
      began.resolve();
      await rest.promise;
      controller.enqueue(text.encode("x"));
      controller.close();
    },
  });
  const answer = send(inspector, "/inspect/sign-in", slow);
  await began.promise;
  const page = await inspector.get("/inspect", inspector.officer);
  assert.equal(page.status, 200);
  await page.body?.cancel();
  assert.equal(admitted, 1, "the page alone");
  rest.resolve();
  const late = await answer;
  assert.equal(late.status, 401);
  await late.body?.cancel();
  assert.equal(admitted, 2);
});
