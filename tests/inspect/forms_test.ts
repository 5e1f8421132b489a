/** Size and time limits of forms, which apply to every sender before anything else. */
import assert from "node:assert/strict";
import { createBodyReader } from "../../http/body_reader.ts";
import { monitorLoad, shedLoad } from "../../http/load_shedding.ts";
import { connectRaw, head, unfinished } from "../http/raw.ts";
import { eventually } from "../eventually.ts";
import { captureLog } from "../captured_log.ts";
import type { Principal } from "../../domain/principal.ts";
import { textOf } from "./request_pages.ts";
import { startInspector, type TestInspector } from "./server.ts";

const KIB = 1_024;

async function send(
  { origin, token }: TestInspector,
  path: string,
  body: BodyInit,
  as?: Principal,
): Promise<Response> {
  const headers = {
    origin,
    accept: "text/html",
    "content-type": "application/x-www-form-urlencoded",
    ...(as && { authorization: `Bearer ${await token(as)}` }),
  };
  return await fetch(`${origin}${path}`, { method: "POST", body, headers, redirect: "manual" });
}

Deno.test("a form above the size limit is refused with a message, and not read to its end", async () => {
  await using inspector = await startInspector();
  const paths = [["/inspect/sign-in", 8, undefined], ["/inspect/retry", 1_024, inspector.officer], [
    `/inspect/requests/${crypto.randomUUID()}`,
    100,
    inspector.officer,
  ]] as const;
  for (const [path, most, as] of paths) {
    const tooLarge = await send(inspector, path, `token=${"x".repeat(most * KIB)}`, as);
    assert.match(
      textOf(await tooLarge.text()),
      new RegExp(`has more than ${most} KiB\\. Nothing was changed`),
    );
    assert.equal(tooLarge.status, 413, path);
    const largest = await send(inspector, path, `token=${"x".repeat(most * KIB - 6)}`, as);
    assert.equal(largest.status, as ? 400 : 401, path);
    await largest.body?.cancel();
  }
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      if ((sent += 64 * KIB) > 100 * KIB * KIB) controller.close();
      else controller.enqueue(new Uint8Array(64 * KIB).fill(120));
    },
  });
  const response = await send(inspector, "/inspect/sign-in", endless).catch(() => undefined);
  await response?.body?.cancel();
  assert.ok(response === undefined || response.status === 413, `${response?.status}`);
  assert.ok(sent < 20 * KIB * KIB, `${sent} bytes were read`);
});

/** Headers that a browser sends with a form of our pages. */
const formHeaders = (origin: string) => ({
  host: new URL(origin).host,
  origin,
  "content-type": "application/x-www-form-urlencoded",
});

Deno.test("a form that does not arrive in time is refused", async () => {
  const clock = { graceMs: 100, bytesPerSecond: 1_000_000, wholeMs: 100 };
  await using inspector = await startInspector({ bodies: createBodyReader({ proxies: 0, clock }) });
  const headers = formHeaders(inspector.origin);
  for (
    const request of [
      unfinished("/inspect/sign-in", headers),
      `${head("/inspect/sign-in", { ...headers, "content-length": "9" })}t`,
    ]
  ) {
    await using connection = await connectRaw(inspector.origin);
    await connection.write(request);
    const answer = await connection.until("</html>");
    assert.match(answer, /^HTTP\/1.1 408 [^]*it has not arrived within 0\.1 seconds/);
  }
});

Deno.test("a form of a person without access is refused unread, and the text of an ended session's form is returned", async () => {
  const bodies = createBodyReader({ proxies: 0 });
  await using inspector = await startInspector({ bodies });
  const path = `/inspect/requests/${crypto.randomUUID()}`;
  const headers = formHeaders(inspector.origin);
  for (const as of [undefined, inspector.staff([])]) {
    await using connection = await connectRaw(inspector.origin);
    const authorization = as && { authorization: `Bearer ${await inspector.token(as)}` };
    await connection.write(unfinished(path, { ...headers, ...authorization }));
    assert.match(await connection.until("</html>"), as ? /^HTTP\/1.1 403 / : /^HTTP\/1.1 401 /);
    assert.equal(bodies.count(), 0);
  }
  const ended = (reason: string) =>
    fetch(`${inspector.origin}${path}`, { method: "POST", headers, body: new URLSearchParams({ reason }) });
  const [short, long] = await Promise.all([ended("what I wrote"), ended("what I wrote".repeat(2_000))]);
  assert.deepEqual([short.status, long.status], [401, 401]);
  assert.match(await short.text(), /what I wrote/);
  assert.doesNotMatch(await long.text(), /what I wrote/);
});

Deno.test("a form that is still arriving does not count as a request in flight", async () => {
  using load = monitorLoad();
  const limit = load.createLimit("requests", 1);
  const bodies = createBodyReader({ proxies: 0 });
  await using inspector = await startInspector({ bodies, admit: shedLoad(limit) });
  const headers = formHeaders(inspector.origin);
  const officer = { authorization: `Bearer ${await inspector.token(inspector.officer)}` };
  await using signIn = await connectRaw(inspector.origin);
  await signIn.write(unfinished("/inspect/sign-in", headers));
  await using retry = await connectRaw(inspector.origin);
  await retry.write(unfinished("/inspect/retry", { ...headers, ...officer }));
  await eventually(() => assert.equal(bodies.count(), 2));
  const page = await inspector.get("/inspect", inspector.officer);
  assert.equal(page.status, 200);
  await page.body?.cancel();
  await signIn.write("0\r\n\r\n");
  assert.match(await signIn.until("</html>"), /^HTTP\/1.1 401 /);
});

Deno.test("a form that the client aborts is not logged as an error", async () => {
  const bodies = createBodyReader({ proxies: 0 });
  await using inspector = await startInspector({ bodies });
  await using log = await captureLog();
  const connection = await connectRaw(inspector.origin);
  await connection.write(unfinished("/inspect/sign-in", formHeaders(inspector.origin)));
  await eventually(() => assert.equal(bodies.count(), 1));
  connection.close();
  await eventually(() => assert.equal(bodies.count(), 0));
  await inspector[Symbol.asyncDispose](); // waits for the requests in progress
  assert.deepEqual(log.lines.filter((line) => line.includes("Cannot")), []);
});

Deno.test("a compressed form is inflated, and one of another encoding is refused", async () => {
  await using inspector = await startInspector();
  const form = new Blob(["token=x.y.z"]).stream().pipeThrough(new CompressionStream("gzip"));
  const body = await new Response(form).bytes();
  for (const [coding, status] of [["gzip", 401], ["br", 415]] as const) {
    const headers = { ...formHeaders(inspector.origin), "content-encoding": coding };
    const response = await fetch(`${inspector.origin}/inspect/sign-in`, { method: "POST", headers, body });
    await response.body?.cancel();
    assert.equal(response.status, status, coding);
    assert.equal(response.headers.get("accept-encoding"), status === 415 ? "gzip, deflate" : null);
  }
});
