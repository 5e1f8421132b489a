/** Bulk upsert as a stream: results during the upload, disconnects, shutdown, quotas and memory. */
import assert from "node:assert/strict";
import process from "node:process";
import { createConcurrencyQuota } from "../../http/concurrency_quota.ts";
import { streamResponse } from "../../rest/streaming_response.ts";
import { createWorld } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { heldMegabytes } from "../memory.ts";
import { captureLog } from "../captured_log.ts";
import { type Line, serveBulk } from "./bulk.ts";

const row = (at: number, fields: object = {}) =>
  `${JSON.stringify({ email: `customer${at}@example.com`, ...fields })}\n`;

Deno.test("each result arrives before the next row is sent", async () => {
  await using world = await createWorld();
  await using server = await serveBulk(world);
  using call = await server.open(world.system, row(1));
  assert.deepEqual([call.status, call.headers.get("content-type")], [200, "application/x-ndjson"]);
  assert.equal((await call.next()).row, 1);
  await call.send(row(2).slice(0, 9));
  await call.send(row(2).slice(9));
  assert.equal((await call.next()).row, 2);
  await call.finish();
  assert.equal(await call.next(), undefined);
});

Deno.test("every row is applied once when a client disconnects and sends the file again", async () => {
  await using world = await createWorld();
  await using server = await serveBulk(world);
  const headers = { "idempotency-key": "import 7" };
  const file = Array.from({ length: 60 }, (_, at) => row(at));
  const seen: Line[] = [];
  {
    using broken = await server.open(world.system, file.slice(0, 40).join(""), headers);
    for (let at = 0; at < 10; at++) seen.push(await broken.next());
  }

  using again = await server.open(world.system, file.join(""), headers);
  await again.finish();
  const lines = await again.rest();
  assert.deepEqual(lines.slice(0, 10), seen);
  assert.deepEqual(lines.map(({ row, result }) => [row, result]), file.map((_, at) => [at + 1, "CREATED"]));
  const [stored] = await world.admin`
    select (select count(*)::int from customers) as customers, (select count(*)::int from actor_events) as events`;
  assert.deepEqual({ ...stored }, { customers: 60, events: 60 });
});

Deno.test("the response ends with the first row without a database, and the caller resumes with the same key", async () => {
  await using world = await createWorld();
  const headers = { "idempotency-key": "import 8" };
  const sql = world.database.pool("customer_api", 4);
  await using server = await serveBulk(world, { sql });
  using call = await server.open(world.system, row(0) + row(1), headers);
  const seen = [await call.next(), await call.next()];
  await sql.end({ timeout: 0 });
  await call.send(row(2) + row(3) + row(4));
  const lines = await call.rest();
  assert.deepEqual(lines.map(({ row, result, error }) => [row, result, error.code]), [
    [3, "REFUSED", "UNAVAILABLE"],
  ]);

  await using later = await serveBulk(world);
  using again = await later.open(
    world.system,
    Array.from({ length: 5 }, (_, at) => row(at)).join(""),
    headers,
  );
  await again.finish();
  const all = await again.rest();
  assert.deepEqual(all.slice(0, 2), seen);
  assert.deepEqual(all.map(({ result }) => result), Array(5).fill("CREATED"));
});

Deno.test("a file with too many refused rows is not read to its end, and the last line gives the reason", async () => {
  await using world = await createWorld();
  await using server = await serveBulk(world, { refusedLimit: 3 });
  using call = await server.open(world.system, "wrong\n" + row(1) + "wrong\nwrong\n" + row(2) + "wrong\n");
  const lines = await call.rest();
  assert.deepEqual(lines.map(({ result }) => result), [
    "REFUSED",
    "CREATED",
    "REFUSED",
    "REFUSED",
    undefined,
  ]);
  assert.deepEqual(lines.at(-1), {
    error: {
      code: "INVALID_INPUT",
      message: "Cannot continue: 3 rows have been refused; correct them and send the file again",
    },
  });
});

Deno.test("the event loop keeps running while thousands of rows are refused", async () => {
  await using world = await createWorld();
  await using server = await serveBulk(world);
  using call = await server.open(world.system, "{}\n".repeat(9_000));
  await call.finish();
  // CPU time between two turns of the event loop, which does not include that of other processes.
  let [total, longest] = [0, 0];
  let before = process.cpuUsage();
  let done = false;
  const turn = () => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    [total, longest] = [total + user + system, Math.max(longest, user + system)];
    if (!done) setImmediate(turn);
  };
  turn();
  const lines = await call.rest();
  done = true;
  assert.equal(lines.length, 9_000);
  assert.ok(longest < total / 3, `${longest / 1_000} of ${total / 1_000} ms in one turn`);
});

Deno.test("a client that stalls is disconnected after the results of its complete rows", async () => {
  await using world = await createWorld();
  await using server = await serveBulk(world, { stallMs: 400 });
  using call = await server.open(world.system, row(1) + row(2).slice(0, 9));
  const [first, last, ...more] = await call.rest();
  assert.deepEqual([first.result, more], ["CREATED", []]);
  assert.deepEqual(last, {
    error: {
      code: "INVALID_INPUT",
      message: "Cannot continue: the client has sent fewer than 1024 bytes in 0.4 seconds of waiting",
    },
  });
});

Deno.test("a bulk upsert ends with an error line when the service shuts down", async () => {
  await using world = await createWorld();
  const closing = new AbortController();
  await using server = await serveBulk(world, { closing: closing.signal });
  using call = await server.open(world.system, row(1));
  assert.equal((await call.next()).result, "CREATED");
  closing.abort();
  assert.deepEqual(await call.rest(), [{
    error: { code: "UNAVAILABLE", message: "Cannot continue: the service is shutting down, try again" },
  }]);
});

Deno.test("a bulk upsert counts against its caller's quota of streams until its last line or a disconnect", async () => {
  await using world = await createWorld();
  const streams = createConcurrencyQuota({ what: "streams", total: 3, perHolder: 2 });
  await using server = await serveBulk(world, { streams });
  const other = { ...world.system, id: crypto.randomUUID() };
  using call = await server.open(world.system, row(1));
  await call.next();
  {
    using second = await server.open(world.system, row(2));
    await second.next();
    using refused = await server.open(world.system, row(3));
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "10"]);
    using others = await server.open(other, row(3));
    assert.equal(others.status, 200);
    using tooMany = await server.open({ ...other, id: crypto.randomUUID() }, row(3));
    assert.equal(tooMany.status, 429);
  }
  await eventually(async () => {
    using again = await server.open(world.system, row(4));
    assert.equal(again.status, 200);
  });
  await call.finish();
  await call.rest();
  assert.throws(() => [1, 2, 3, 4].map(() => streams.take("another caller")), { code: "RATE_LIMITED" });
});

Deno.test("the stream of a client that disconnects while the service waits for it ends at once", async () => {
  await using world = await createWorld();
  const streams = createConcurrencyQuota({ what: "streams", total: 1, perHolder: 1 });
  await using server = await serveBulk(world, { streams });
  {
    using call = await server.open(world.system, row(1));
    await call.next();
    using refused = await server.open(world.system, row(2)); // meanwhile the service waits for the next row
    assert.equal(refused.status, 429);
  }
  await eventually(async () => {
    using again = await server.open(world.system, row(3));
    assert.equal(again.status, 200);
  }, 20_000); // less than the stall timeout
});

Deno.test("a client that sends many tiny chunks is disconnected", async () => {
  await using world = await createWorld();
  await using server = await serveBulk(world);
  using call = await server.open(world.system, row(1));
  assert.equal((await call.next()).result, "CREATED");
  for (let at = 0; at < 300; at++) await call.send(" ").catch(() => {});
  const lines = await call.rest();
  assert.match(
    lines.at(-1).error.message,
    /^Cannot continue: the client sends chunks of fewer than 16 bytes/,
  );
});

Deno.test("a response to a client that reads nothing fills its buffer and then times out", async () => {
  let pieceCount = 0;
  const ended = Promise.withResolvers<void>();
  const pieces = (async function* () {
    try {
      for (;; pieceCount++) yield "0123456789";
    } finally {
      ended.resolve();
    }
  })();
  const response = streamResponse(pieces, { maxUnreadBytes: 1_000, stallMs: 100 });
  await ended.promise;
  assert.ok(pieceCount >= 100 && pieceCount < 130, `${pieceCount} pieces`);
  await assert.rejects(new Response(response).text(), { code: "INVALID_INPUT" });
});

Deno.test("a client that reads late receives the whole response", async () => {
  const response = streamResponse(
    (async function* () {
      for (let at = 0; at < 50; at++) yield `${at} `;
    })(),
    { maxUnreadBytes: 1_000, stallMs: 60_000 },
  );
  const text = await new Response(response).text();
  assert.deepEqual(text.trim().split(" ").map(Number), Array.from({ length: 50 }, (_, at) => at));
});

Deno.test("memory does not grow with the file", async () => {
  await using world = await createWorld();
  await using server = await serveBulk(world, { refusedLimit: Infinity });
  const [count, batch] = [20_000, 500];
  const wide = { firstName: "x".repeat(1_000) }; // refused: a name has up to 100 characters
  using call = await server.open(world.system, row(0));
  const sending = (async () => {
    for (let at = 1; at < count; at += batch) {
      const rows = Array.from(
        { length: Math.min(batch, count - at) },
        (_, n) => row(at + n, (at + n) % 50 ? wide : {}),
      );
      await call.send(rows.join(""));
    }
    await call.finish();
  })();
  const before = heldMegabytes();
  let peak = 0;
  const results = new Map<string, number>();
  for (let line = await call.next(), at = 1; line; line = await call.next(), at++) {
    assert.equal(line.row, at);
    results.set(line.result, (results.get(line.result) ?? 0) + 1);
    if (at % 2_000 === 0) peak = Math.max(peak, heldMegabytes() - before);
  }
  await sending;
  assert.deepEqual([...results], [["CREATED", count / 50], ["REFUSED", count - count / 50]]);
  assert.ok(peak < 12, `${peak.toFixed(1)} MiB for a file of 20 MB`);
});

Deno.test("a disconnect stops the processing and is not logged as an error", async () => {
  await using world = await createWorld();
  await using log = await captureLog();
  await using server = await serveBulk(world);
  {
    using call = await server.open(world.system, row(0));
    await call.next();
  }
  const count = async () => (await world.admin`select count(*)::int as count from customers`)[0]?.count;
  await eventually(async () => {
    const [row] = await world.admin`
      select count(*)::int as busy from pg_stat_activity
      where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()`;
    assert.equal(row?.busy, 0);
  });
  assert.equal(await count(), 1);
  assert.deepEqual(log.lines.filter((line) => line.includes("Cannot answer")), []);
});

Deno.test("disconnects at any time are not logged as errors", async () => {
  await using world = await createWorld();
  await using log = await captureLog();
  {
    await using server = await serveBulk(world);
    await Promise.all(Array.from({ length: 100 }, async (_, at) => {
      using call = await server.open(world.system, row(at));
      if (at % 2 === 0) await call.next();
    }));
  }
  assert.deepEqual(log.lines.filter((line) => line.includes("Cannot answer")), []);
});
