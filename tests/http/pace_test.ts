/** Streamed bodies end when the client stalls, and release their resources. */
import assert from "node:assert/strict";
import { confirmedDownload, pacedDownload, pacedUpload } from "../../http/pace.ts";
import { createHttpApp } from "../../http/mod.ts";
import { serve } from "../graph/server.ts";
import { captureLog } from "../captured_log.ts";
import { connectRaw } from "./raw.ts";

const bytes = (length: number) => new Uint8Array(length).fill(120);

Deno.test("an upload below the minimum rate fails, even while it still sends", async () => {
  let controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (own) => void (controller = own) });
  const paced = pacedUpload(body, { stallMs: 100, bytes: 1_000 });
  controller.enqueue(bytes(1_000));
  const drip = setInterval(() => {
    try {
      controller.enqueue(bytes(20));
    } catch { /* it has ended */ }
  }, 20);
  try {
    await assert.rejects(new Response(paced).arrayBuffer(), {
      code: "INVALID_INPUT",
      message: "Cannot continue: the client has sent fewer than 1000 bytes in 0.1 seconds of waiting",
    });
  } finally {
    clearInterval(drip);
  }
});

Deno.test("an upload above the minimum rate passes whole", async () => {
  const body = new Blob([bytes(100_000)]).stream();
  assert.equal((await new Response(pacedUpload(body)).arrayBuffer()).byteLength, 100_000);
});

Deno.test("a download whose client reads nothing cancels its source and closes the connection", async () => {
  await using log = await captureLog();
  const [ended, canceled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let produced = 0;
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      controller.enqueue(bytes(100_000));
      produced += 100_000;
    },
    cancel: () => canceled.resolve(),
  }, { highWaterMark: 0 });
  const app = createHttpApp({ corsOrigins: [] })
    .get("/", (c) => c.body(pacedDownload(source, { stallMs: 200, onEnd: ended.resolve })));
  await using server = serve(app);
  await using connection = await connectRaw(`http://127.0.0.1:${server.addr.port}`);
  await connection.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await Promise.all([ended.promise, canceled.promise]);
  const received = await connection.untilClosed(); // the content of the socket buffers
  assert.ok(received.length > 0 && received.length < produced + 100_000);
  assert.deepEqual(log.lines, []);
});

Deno.test("a download arrives whole and reports its end once", async () => {
  let ended = 0;
  const source = new Blob([bytes(100_000)]).stream();
  const answer = new Response(pacedDownload(source, { onEnd: () => ended++ }));
  assert.equal((await answer.arrayBuffer()).byteLength, 100_000);
  assert.equal(ended, 1);
});

Deno.test("a client that disconnects during a download is not logged", async () => {
  await using log = await captureLog();
  const ended = Promise.withResolvers<void>();
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.enqueue(bytes(100_000)),
  }, { highWaterMark: 0 });
  const app = createHttpApp({ corsOrigins: [] })
    .get("/", (c) => c.body(pacedDownload(source, { onEnd: ended.resolve })));
  await using server = serve(app);
  const connection = await connectRaw(`http://127.0.0.1:${server.addr.port}`);
  await connection.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await connection.until("xxx");
  connection.close();
  await ended.promise;
  assert.deepEqual(log.lines, []);
});

Deno.test("a delivery is reported before the client sees the end of the response", async () => {
  let delivered = 0;
  const body = () =>
    confirmedDownload(new Blob([bytes(100_000)]).stream(), {
      lingerMs: 1,
      delivered: () => Promise.resolve(void delivered++),
    });
  await using server = serve(createHttpApp({ corsOrigins: [] }).get("/", (c) => c.body(body())));
  const response = await fetch(`http://127.0.0.1:${server.addr.port}`);
  assert.equal((await response.bytes()).byteLength, 100_000);
  assert.equal(delivered, 1);
});

for (const length of [10, 100_000_000]) {
  Deno.test(`a client that disconnects early from a response of ${length} bytes has not received it`, async () => {
    await using log = await captureLog();
    const left = Promise.withResolvers<void>();
    let delivered = 0;
    const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        controller.enqueue(bytes(Math.min(length, 100_000)));
        if (length < 100_000) controller.close();
      },
    }, { highWaterMark: 0 });
    const download = confirmedDownload(source, {
      lingerMs: 60_000, // the test ends when the connection does
      delivered: () => Promise.resolve(void delivered++),
    });
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      (_request, info) => {
        info.completed.finally(left.resolve).catch(() => {});
        return new Response(download);
      },
    );
    {
      await using connection = await connectRaw(`http://127.0.0.1:${server.addr.port}`);
      await connection.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    }
    await left.promise;
    assert.equal(delivered, 0);
    assert.deepEqual(log.lines, []);
  });
}

Deno.test("a delivery that cannot be recorded is an incomplete response", async () => {
  const download = confirmedDownload(new Blob([bytes(10)]).stream(), {
    lingerMs: 1,
    delivered: () => Promise.reject(new Error("the database is away")),
  });
  await assert.rejects(new Response(download).bytes(), /the database is away/);
});
