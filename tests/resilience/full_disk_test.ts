/** A server without space: changes are UNAVAILABLE, the replica is not ready, and both recover by themselves. */
import assert from "node:assert/strict";
import { asDomainError } from "../../db/errors.ts";
import { createDatabase } from "../database.ts";
import { eventually } from "../eventually.ts";
import { portsOf, production, TRUSTING } from "../production.ts";
import { startService } from "../service.ts";
import { clientOf } from "./staff_client.ts";

/** Refuses each new row and each new table as a server does whose disk is full. */
const FULL = `
  create function fill() returns trigger language plpgsql as $$
    begin raise exception using errcode = '53100', message = 'no space left on device'; end $$;
  create function refuse() returns event_trigger language plpgsql as $$
    begin raise exception using errcode = '53100', message = 'no space left on device'; end $$;
  create trigger full_disk before insert on customers execute function fill();
  create event trigger full_disk on ddl_command_start execute function refuse()`;
const ROOM = `drop event trigger full_disk; drop trigger full_disk on customers`;

Deno.test("with a full disk changes are UNAVAILABLE and the replica is not ready, until there is space", async () => {
  await using database = await createDatabase();
  await using service = startService({ ...production(database.url), ...TRUSTING });
  const client = clientOf((await portsOf(service)).http);
  assert.equal(await client.register(), "201");
  assert.equal(await client.readyz(), 200);

  await database.admin.unsafe(FULL);
  assert.equal(await client.readyz(), 200); // nothing was written yet
  assert.equal(await client.register(), "503 UNAVAILABLE");
  assert.equal(await client.readyz(), 503);
  assert.equal(await client.readyz(), 503);

  await database.admin.unsafe(ROOM);
  await eventually(async () => assert.equal(await client.readyz(), 200));
  assert.equal(await client.register(), "201");
  const { code, stderr } = await service.stop("SIGTERM");
  assert.deepEqual([code, stderr], [0, ""]);
});

Deno.test("a connection that the process has no file descriptor for is UNAVAILABLE", () => {
  const error = Object.assign(new Error("connect EMFILE"), { code: "EMFILE" });
  assert.equal(asDomainError(error)?.code, "UNAVAILABLE");
});
