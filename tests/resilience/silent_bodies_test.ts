/** Clients that stop sending a body or never read a response do not affect an innocent client. */
import assert from "node:assert/strict";
import { createWorld, register } from "../actors/world.ts";
import { connectRaw, head, unfinished } from "../http/raw.ts";
import { eventually } from "../eventually.ts";
import { gatewayHeaders, MESH, portsOf, production, TRUSTING } from "../production.ts";
import { asked, connect } from "../rpc/client.ts";
import { startService } from "../service.ts";

const SILENT = 120;

Deno.test("stalled bodies of unauthenticated clients, shoppers and staff do not affect an innocent client", async () => {
  await using world = await createWorld();
  const customer = await register(world);
  // A limit far below the number of attackers, so that any request in flight of theirs would show.
  const env = {
    ...production(world.database.url),
    ...TRUSTING,
    MAX_IN_FLIGHT: "5",
    GRPC_MAX_IN_FLIGHT: "5",
    REST_CALLERS_IMPORT_CUSTOMERS: "identity-service",
  };
  await using service = startService(env);
  const ports = await portsOf(service);
  const origin = `http://127.0.0.1:${ports.http}`;
  using client = connect(ports.grpc);
  const lookup = asked({ storeId: customer.storeId, customerId: customer.id });
  const shopper = gatewayHeaders(customer);
  const staff = { ...shopper, "x-user-id": crypto.randomUUID(), "x-principal-type": "STAFF" };
  const manager = { ...staff, "x-roles": "CUSTOMER_MANAGER" };
  const system = { ...staff, "x-principal-type": "SYSTEM", "x-client-id": "identity-service" };
  const lines = { "content-type": "application/x-ndjson" };

  async function isServed(): Promise<void> {
    const me = await fetch(`${origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", ...shopper },
      body: JSON.stringify({ query: "{ me { id } }" }),
    });
    assert.deepEqual(await me.json(), { data: { me: { id: customer.id } } });
    const read = await fetch(`${origin}/customers/${customer.id}`, { headers: system });
    assert.equal(read.status, 200, await read.text());
    const change = await fetch(`${origin}/customers/${customer.id}`, {
      method: "PATCH",
      headers: { "content-type": "application/json", ...system },
      body: JSON.stringify({ firstName: "Ada" }),
    });
    assert.equal(change.status, 200, await change.text());
    assert.equal((await client.groups(lookup, { metadata: MESH })).status, "OK");
  }

  const attacks: Record<string, string> = {
    "a shopper on REST": unfinished("/customers", shopper),
    "a shopper on REST with a length": `${head("/customers", { ...shopper, "content-length": "99" })}{`,
    "a stranger on the graph": unfinished("/graphql"),
    "a manager on REST": unfinished("/customers", manager),
    "a manager's bulk": unfinished("/customers/bulk", { ...manager, ...lines }),
    "a service's bulk": unfinished("/customers/bulk", { ...system, ...lines }),
    "a stranger at the inspector": unfinished("/inspect/retry", { origin }),
    "a manager's export that is not read": `GET /customers/export HTTP/1.1\r\nhost: localhost\r\n${
      Object.entries(manager).map(([name, value]) => `${name}: ${value}\r\n`).join("")
    }\r\n`,
  };
  for (const [attack, request] of Object.entries(attacks)) {
    await using stack = new AsyncDisposableStack();
    for (let at = 0; at < SILENT; at++) await stack.use(await connectRaw(origin)).write(request);
    await eventually(isServed); // they count as in flight until their bodies are awaited
    for (let at = 0; at < 5; at++) {
      await isServed().catch((cause) => assert.fail(`${attack}: ${cause.message}`));
    }
  }
  const { output } = await service.stop("SIGTERM");
  const records = output.trim().split("\n").map((line) => JSON.parse(line));
  const errors = new Set(records.filter(({ level }) => level === "ERROR").map(({ logger }) => logger));
  // Kafka is unreachable. No edge logs a client that disconnects.
  assert.deepEqual([...errors], ["customer-service.events"]);
});
