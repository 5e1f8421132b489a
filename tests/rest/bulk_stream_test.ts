/** The bulk upsert as a stream: rows and results side by side, breaks on either end, and what it holds meanwhile. */
import assert from "node:assert/strict";
import process from "node:process";
import { createConcurrencyQuota } from "../../http/concurrency_quota.ts";
import { answerWith } from "../../rest/patient_answer.ts";
import { createWorld } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { heldMegabytes } from "../memory.ts";
import { captureLog } from "../whole_log.ts";
import { type Line, serveBulk } from "./bulk.ts";

const row = (at: number, fields: object = {}) =>
  `${JSON.stringify({ email: `customer${at}@example.com`, ...fields })}\n`;

Deno.test("each row is answered before the next one is sent", async () => {
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

Deno.test("a client that breaks off and sends the file again finds every row applied once", async () => {
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

Deno.test("the row that finds no database says so and is the last one; the caller resumes", async () => {
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

Deno.test("a file whose rows are wrong again and again is not read to its end, and the last line says so", async () => {
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
      message: "Cannot go on: 3 rows have been refused; correct them and send the file again",
    },
  });
});

Deno.test("everything else goes on while thousands of rows are refused", async () => {
  await using world = await createWorld();
  await using server = await serveBulk(world);
  using call = await server.open(world.system, "{}\n".repeat(9_000));
  await call.finish();
  // CPU time between two turns of the event loop: a machine that is busy elsewhere does not add to it.
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

Deno.test("a client that sends nothing is cut, and what it has sent before is answered", async () => {
  await using world = await createWorld();
  await using server = await serveBulk(world, { patienceMs: 400 });
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

Deno.test("a bulk that is under way when the service ends says so in its last line, and takes no more", async () => {
  await using world = await createWorld();
  const closing = new AbortController();
  await using server = await serveBulk(world, { closing: closing.signal });
  using call = await server.open(world.system, row(1));
  assert.equal((await call.next()).result, "CREATED");
  closing.abort();
  assert.deepEqual(await call.rest(), [{
    error: { code: "UNAVAILABLE", message: "Cannot go on: the service is about to end, ask again" },
  }]);
});

Deno.test("a bulk counts among its caller's streams until its last line, or until its client goes", async () => {
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
  assert.throws(() => [1, 2, 3, 4].map(() => streams.take("somebody else")), { code: "RATE_LIMITED" });
});

Deno.test("a client that sends crumbs is cut, however often it sends one", async () => {
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

Deno.test("for a client that reads nothing, work goes on until so much waits, and then ends", async () => {
  let made = 0;
  const ended = Promise.withResolvers<void>();
  const pieces = (async function* () {
    try {
      for (;; made++) yield "0123456789";
    } finally {
      ended.resolve();
    }
  })();
  const answer = answerWith(pieces, { unread: 1_000, patienceMs: 100 });
  await ended.promise;
  assert.ok(made >= 100 && made < 130, `${made} pieces`);
  await assert.rejects(new Response(answer).text(), { code: "INVALID_INPUT" });
});

Deno.test("what waits for a client that reads late is all there", async () => {
  const answer = answerWith(
    (async function* () {
      for (let at = 0; at < 50; at++) yield `${at} `;
    })(),
    { unread: 1_000, patienceMs: 60_000 },
  );
  const text = await new Response(answer).text();
  assert.deepEqual(text.trim().split(" ").map(Number), Array.from({ length: 50 }, (_, at) => at));
});

Deno.test("what is held does not grow with the file", async () => {
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
  let most = 0;
  const results = new Map<string, number>();
  for (let line = await call.next(), at = 1; line; line = await call.next(), at++) {
    assert.equal(line.row, at);
    results.set(line.result, (results.get(line.result) ?? 0) + 1);
    if (at % 2_000 === 0) most = Math.max(most, heldMegabytes() - before);
  }
  await sending;
  assert.deepEqual([...results], [["CREATED", count / 50], ["REFUSED", count - count / 50]]);
  assert.ok(most < 12, `${most.toFixed(1)} MiB while a file of 20 MB went through`);
});

Deno.test("a client that goes away ends the work, and is no error of ours", async () => {
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

Deno.test("of many clients that break off none is an error of ours, whenever they do", async () => {
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
