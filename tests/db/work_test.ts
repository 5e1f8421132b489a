import assert from "node:assert/strict";
import { createOutageLog } from "../../lib/outage_log.ts";
import { createNotifier, listen, startWorkLoop } from "../../db/work.ts";
import { createDatabase } from "../database.ts";
import { eventually } from "../eventually.ts";

Deno.test("a listener that loses its connection reconnects, wakes at once, and receives the next notification", async () => {
  await using database = await createDatabase();
  let heard = 0;
  await using _listening = await listen(database.pool("customer_worker"), () => void heard++);
  assert.equal(heard, 1, "once it listens");
  for (let round = 0; round < 3; round++) {
    const before = heard;
    const ended = await database.admin`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like 'listen %'`;
    assert.equal(ended.length, 1);
    await eventually(() => assert.equal(heard, before + 1));
    createNotifier(database.pool("customer_api"))();
    await eventually(() => assert.equal(heard, before + 2));
  }
});

Deno.test("many concurrent commits share one notification", async () => {
  await using database = await createDatabase();
  let heard = 0;
  await using _listening = await listen(database.pool("customer_worker"), () => void heard++);
  const api = database.pool("customer_api");
  const notify = createNotifier(api);
  for (let commit = 0; commit < 100; commit++) notify();
  await eventually(() => assert.equal(heard, 2));
  notify();
  await eventually(() => assert.equal(heard, 3));
});

Deno.test("a loop whose work fails repeatedly continues, and logs the failure and the recovery once each", async () => {
  const told: string[] = [];
  const outage = createOutageLog((error) => told.push(String(error)), () => told.push("over"));
  let steps = 0;
  const step = () => {
    steps++;
    return steps < 6 ? Promise.reject(new Error(`step ${steps}`)) : Promise.resolve(false);
  };
  {
    await using _loop = startWorkLoop(step, { pollMs: 1, onError: outage.report, onSuccess: outage.end });
    await eventually(() => assert.ok(steps > 8));
  }
  assert.deepEqual(told, ["Error: step 1", "over"]);
});
