/** Answers while the process has no file descriptor left: connected gRPC callers are served, and no answer is an internal error. */
import assert from "node:assert/strict";
import { createWorld, register } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { MESH, portsOf, production, TRUSTING } from "../production.ts";
import { asked, connect } from "../rpc/client.ts";
import { startService } from "../service.ts";
import { linuxTest } from "./processes.ts";
import { clientOf } from "./staff_client.ts";

const DESCRIPTORS = 200;

linuxTest(
  "without file descriptors, connected callers are answered, no answer is an internal error, and both ports recover",
  async () => {
    await using world = await createWorld();
    const customer = await register(world);
    await using service = startService({ ...production(world.database.url), ...TRUSTING }, {
      descriptors: DESCRIPTORS,
    });
    const { http, grpc } = await portsOf(service);
    using client = connect(grpc);
    const key = asked({ storeId: customer.storeId, customerId: customer.id });
    const lookups = (count: number) =>
      Promise.all(Array.from({ length: count }, async () => {
        return (await client.groups(key, { metadata: MESH, withinMs: 10_000 })).status;
      }));
    await eventually(async () => assert.deepEqual(await lookups(1), ["OK"]));
    const staff = clientOf(http);
    const registrations = (count: number) =>
      Promise.all(Array.from({ length: count }, () => staff.register()));
    await eventually(async () => assert.deepEqual(await registrations(1), ["201"]));

    const openTo = (port: number) => Deno.connect({ hostname: "127.0.0.1", port });
    const clients = await Promise.all(Array.from({ length: DESCRIPTORS + 100 }, () => openTo(grpc)));
    await eventually(async () => {
      clients.push(await openTo(http)); // takes descriptors that the service frees
      assert.match(service.output(), /Cannot accept HTTP connections/);
    });
    const statuses = new Set(await lookups(200));
    const answers = new Set<string>();
    for (let at = 0; at < 5; at++) {
      // A connection that HTTP cannot accept, or closes, is no answer.
      for (const answer of await registrations(10).catch(() => [])) answers.add(answer);
    }
    assert.ok(statuses.has("OK"));
    const unexpected = [...statuses, ...answers].filter((answer) =>
      !["OK", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "201", "503 UNAVAILABLE"].includes(answer)
    );
    assert.deepEqual(unexpected, []);

    for (const connection of clients) connection.close();
    await eventually(async () => {
      assert.deepEqual(await lookups(1), ["OK"]);
      assert.deepEqual(await registrations(1), ["201"]);
      assert.equal(await staff.readyz(), 200);
    });
    const { code, stderr } = await service.stop("SIGTERM");
    assert.deepEqual([code, stderr], [0, ""]);
  },
);
