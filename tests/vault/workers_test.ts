/** Telemetry settings from Vault: too late for the process that reads them, in time for its workers. */
import assert from "node:assert/strict";
import { createWorld, register } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { gatewayHeaders, portsOf, production, TRUSTING } from "../production.ts";
import { childrenOf } from "../resilience/processes.ts";
import { startService } from "../service.ts";
import { startReceiver } from "../telemetry/receiver.ts";
import { startVault, vaultTest } from "./server.ts";

vaultTest(
  "one worker exports to the endpoint that Vault names, and its successor needs no Vault any more",
  async () => {
    await using world = await createWorld();
    const customer = await register(world);
    await using receiver = startReceiver();
    const { OTEL_DENO: _, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...otel } = receiver.env;
    const vault = await startVault();
    await vault.put("shared/otel", { "otlp.endpoint": endpoint });
    const [VAULT_ADDR, VAULT_TOKEN] = [vault.address, vault.rootToken];
    const env = { ...production(world.database.url), ...TRUSTING, ...otel, VAULT_ADDR, VAULT_TOKEN };
    await using service = startService(env);
    await service.ready();
    await vault[Symbol.asyncDispose]();

    const [first, ...more] = await childrenOf(service.pid);
    assert.deepEqual(more, []);
    const environ = await Deno.readTextFile(`/proc/${first}/environ`);
    assert.ok(environ.includes(`OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`) && !environ.includes(VAULT_TOKEN));
    Deno.kill(first!, "SIGKILL");
    await eventually(() => assert.equal(service.printed().match(/Ready: HTTP/g)?.length, 2));

    const { http } = await portsOf(service);
    const response = await fetch(`http://127.0.0.1:${http}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", ...gatewayHeaders(customer) },
      body: JSON.stringify({ query: "{ me { id } }" }),
    });
    assert.equal((await response.json()).data.me.id, customer.id);
    await eventually(() => assert.ok(receiver.spans().length > 0));
    assert.equal((await service.stop("SIGTERM")).code, 0);
  },
);
