/** Crash safety: a process that is killed between two statements of a command leaves all of its effects or none. */
import assert from "node:assert/strict";
import type { ActorRef } from "../../actors/commands.ts";
import type { Answer } from "../../actors/runtime/protocol.ts";
import { newTraceparent } from "../../lib/trace_context.ts";
import { ADDRESS, createGroup, createWorld, customerRef, register, tell, type World } from "./world.ts";

const SCRIPT = new URL("./crash_process.ts", import.meta.url).pathname;

/** Commands that together write to every table, each with the state that it requires. */
const COMMANDS: [
  type: string,
  arrange: (world: World) => Promise<{ ref: ActorRef; fields: Record<string, unknown> }>,
][] = [
  [
    "register",
    (world) => Promise.resolve({ ref: customerRef(world), fields: { email: "crash@example.com" } }),
  ],
  ["address.add", async (world) => {
    const ref = await register(world);
    await tell(world, ref, "address.add", { ...ADDRESS, isDefaultShipping: true });
    return { ref, fields: { ...ADDRESS, isDefaultShipping: true } };
  }],
  ["group.delete", async (world) => ({ ref: await createGroup(world), fields: {} })],
];

for (const [type, arrange] of COMMANDS) {
  Deno.test(`${type} leaves no partial changes when the process is killed before any of its statements`, async () => {
    await using world = await createWorld();
    const { ref, fields } = await arrange(world);
    const context = { by: world.system, traceparent: newTraceparent(), idempotencyKey: "after the crash" };
    const request = { ref, command: { type, ...fields }, context };
    const before = await countRows(world);

    let statement = 0;
    let answer: Answer | undefined;
    while (answer === undefined) {
      answer = await run(world, ++statement, request);
      if (answer !== undefined) break;
      assert.deepEqual(await countRows(world), before, `killed before statement ${statement}`);
    }
    assert.ok(statement > 2, "statements to kill the process before: one that reads, and one that stores");
    const after = await countRows(world);
    for (const table of ["actor_events", "outbox", "idempotency_keys"]) {
      assert.ok((after[table] ?? 0) > (before[table] ?? 0), table);
    }

    // After a kill between commit and answer, the caller's retry returns the same answer.
    assert.deepEqual(await run(world, 0, request), answer);
    assert.deepEqual(await countRows(world), after);
  });
}

/** Returns the answer, or undefined if the process was killed. */
async function run(world: World, killBefore: number, request: unknown): Promise<Answer | undefined> {
  const { signal, success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      SCRIPT,
      world.database.url,
      String(killBefore),
      JSON.stringify(request),
    ],
  }).output();
  if (signal === "SIGKILL") return undefined;
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Counts the rows of each table and the versions of the customers. */
async function countRows({ admin }: World): Promise<Record<string, number>> {
  const [row] = await admin`
    select
      (select count(*)::int from customers) as customers,
      (select coalesce(sum(version), 0)::int from customers) as customer_versions,
      (select count(*)::int from customer_addresses) as customer_addresses,
      (select count(*)::int from customer_addresses where is_default_shipping) as defaults,
      (select count(*)::int from shopper_groups where deleted_at is null) as shopper_groups,
      (select count(*)::int from actor_events) as "actor_events",
      (select count(*)::int from effects) as effects,
      (select count(*)::int from outbox) as outbox,
      (select count(*)::int from idempotency_keys) as "idempotency_keys"`;
  const { actorEvents, idempotencyKeys, ...rest } = row ?? {};
  return { ...rest, actor_events: actorEvents, idempotency_keys: idempotencyKeys };
}
