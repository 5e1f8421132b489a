/** `deno task archive`: events leave the database only for a file that has been read back. */
import assert from "node:assert/strict";
import { gunzipSync, gzipSync } from "node:zlib";
import { claimTimers } from "../../db/timers.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { register, tell } from "../actors/world.ts";
import { temporaryFolder } from "../service.ts";
import { createManualClockWorld, DAY } from "./manual_clock.ts";
import { createRequestFixture } from "./request_fixture.ts";
import { runTask } from "./task.ts";

const REASON = "the parcel was lost";

Deno.test("months of a journal move to files, except what is held, recent or different from its file", async (t) => {
  await using folder = await temporaryFolder();
  await using world = await createManualClockWorld(
    { participants: PARTICIPANTS },
    new Date(Date.now() - 400 * DAY),
  );
  const { admin, storeId } = world;
  const env = { DATABASE_URL: world.database.url };
  const archive = (...args: string[]) => runTask("archive", ["--days", "60", ...args], env);
  const month = world.now.toISOString().slice(0, 7);
  const path = (part: number, kind = "events") =>
    `${folder.path}/${storeId}/${month}.${kind}.${part}.ndjson.gz`;
  const lines = async (...file: Parameters<typeof path>) => {
    const text = gunzipSync(await Deno.readFile(path(...file))).toString();
    return text.trim().split("\n").map((line) => JSON.parse(line));
  };
  const titleOf = (kind: string) => `store ${storeId}, ${kind} of ${month}`;
  const sums = async () => {
    const args = ["--check", "--strict", "SHA256SUMS"];
    return await new Deno.Command("sha256sum", { args, cwd: folder.path }).output();
  };
  const events = async ({ id }: { id: string }) => {
    const rows = await admin`select event_type from actor_events where actor_id = ${id} order by sequence`;
    return rows.map(({ eventType }) => eventType);
  };

  const customer = await register(world);
  await tell(world, customer, "account.suspend", { reason: REASON });
  const held = await register(world);
  await tell(world, held, "hold.place", { ground: "LEGAL_CLAIM" });
  const old = await admin`
    select actor_id, sequence, event_type from actor_events where actor_id = ${customer.id} order by at, sequence`;
  const fixture = createRequestFixture(world);
  const [refused, open, ofHeld] = [
    await fixture.open(customer, "ACCESS"),
    await fixture.open(customer, "PORTABILITY"),
    await fixture.open(held, "ACCESS"),
  ];
  const worker = world.database.pool("customer_worker");
  const due = await claimTimers(worker, {
    now: world.now,
    claimedUntil: new Date(world.now.getTime() + DAY),
    limit: 10,
  });
  for (const timer of due) await world.actors.fire(timer); // asks the participants
  await admin`delete from effects`; // as if it had asked them
  for (const request of [refused, ofHeld]) {
    await fixture.tell(request, "refuse", { ground: "NO_RIGHT", reason: REASON }, { by: world.officer });
  }
  for (
    const { noticeId } of await admin`select notice_id from gdpr_notices where delivery in ('WAITING', 'DUE')`
  ) {
    const notice = { kind: "gdpr_notice" as const, storeId, id: noticeId };
    await tell(world, notice, "waive", { waiver: "NOT_REQUIRED" }, { by: world.officer });
  }
  const remaining = async () =>
    (await admin`select request_id from gdpr_requests`).map(({ requestId }) => requestId).sort();
  world.now = new Date();
  await tell(world, customer, "profile.update", { firstName: "Ada" });

  await t.step("a dry run prints the months and changes nothing", async () => {
    const { code, stdout, stderr } = await archive("--dry-run");
    assert.deepEqual([code, stdout, stderr], [
      0,
      `${titleOf("events")}\n${titleOf("requests")}\n`,
      "2 months\n",
    ]);
    assert.equal((await events(customer)).length, 3);
  });

  await t.step("a file that does not have the events as they are deletes none of them", async () => {
    await Deno.mkdir(`${folder.path}/${storeId}`);
    const [row] = await admin<{ line: string }[]>`
      select (to_jsonb(e) - array['reason', 'note'])::text as line from actor_events e
      where actor_id = ${customer.id} and sequence = 1`;
    const other = { ...JSON.parse(row!.line), state_after: "closed" };
    await Deno.writeFile(path(1), gzipSync(`${JSON.stringify(other)}\n`));
  });

  await t.step("the events move, without reasons, and the others stay", async () => {
    const { code, stdout, stderr } = await archive("--to", folder.path);
    const done = `1 of 2: ${titleOf("events")}: 2 moved\n2 of 2: ${titleOf("requests")}: 1 moved\n`;
    assert.deepEqual([code, stdout], [0, done], stderr);
    const archived = await lines(2);
    assert.deepEqual(
      archived.map(({ actor_id, sequence, event_type }) => [actor_id, sequence, event_type]),
      old.map(({ actorId, sequence, eventType }) => [actorId, sequence, eventType]),
    );
    assert.ok(!JSON.stringify(archived).includes(REASON) && archived[1].reason_given);
    assert.deepEqual(await events(customer), ["profile.update"]);
    assert.deepEqual(await events(held), ["register", "hold.place"]);
    const checked = await sums();
    assert.ok(checked.success, new TextDecoder().decode(checked.stderr));
    assert.equal(new TextDecoder().decode(checked.stdout).match(/: OK$/gm)?.length, 3);
  });

  await t.step("a request moves with all that belongs to it, and open and held ones stay", async () => {
    const [archived, ...others] = await lines(1, "requests");
    assert.deepEqual([archived.request.request_id, others], [refused.id, []]);
    assert.ok(!JSON.stringify(archived).includes(REASON));
    assert.ok(archived.participants.length >= PARTICIPANTS.length);
    assert.ok(archived.notices.length > 0 && archived.events.length > archived.notices.length);
    assert.deepEqual(await remaining(), [open.id, ofHeld.id].sort());
    const [left] =
      await admin`select count(*)::int as count from gdpr_participants where request_id = ${refused.id}`;
    assert.deepEqual([left?.count, await events(refused)], [0, []]);
  });

  await t.step("a repetition has nothing to do, and a later month part gets the next number", async () => {
    assert.deepEqual((await archive("--to", folder.path)).stderr, "0 months\n");
    const holds = await admin`select hold_id from customer_holds where customer_id = ${held.id}`;
    await tell(world, held, "hold.lift", { holdId: holds[0]!.holdId });
    assert.match(
      (await archive("--to", folder.path)).stdout,
      /events of .*: 1 moved\n.*requests of .*: 1 moved\n$/,
    );
    assert.deepEqual((await lines(3)).map(({ event_type }) => event_type), ["register"]);
    assert.deepEqual(await events(held), ["hold.place", "hold.lift"], "its event stays as long as the hold");
  });

  await t.step("a damaged file is named, and its events stay", async () => {
    world.now = new Date(Date.now() - 400 * DAY);
    const late = await register(world);
    const whole = await Deno.readFile(path(3));
    await Deno.writeFile(path(3), whole.subarray(0, whole.length - 9));
    const { code, stderr } = await archive("--to", folder.path);
    assert.equal(code, 1);
    assert.ok(stderr.startsWith(`Cannot read ${path(3)}: `), stderr);
    assert.deepEqual(await events(late), ["register"]);
  });
});

Deno.test("the archive task says what is missing", async () => {
  for (
    const args of [[], ["--days", "0", "--dry-run"], ["--days", "9"], [
      "--days",
      "9",
      "--to",
      "x",
      "--dry-run",
    ]]
  ) {
    const { code, stderr } = await runTask("archive", args);
    assert.equal(code, 1);
    assert.match(stderr, /^Cannot archive: .*; see archive --help\n$/);
  }
});
