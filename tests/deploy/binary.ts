/**
 * Tests the executable of `deno task compile` in an empty folder, without a cache and without a registry:
 *
 *     TEST_BINARY=.data/customer-service deno run -A tests/run.ts tests/deploy/binary.ts
 */
import assert from "node:assert/strict";
import { createWorld, register } from "../actors/world.ts";
import { freePort } from "../ports.ts";
import { gatewayHeaders, portsOf, production, TRUSTING } from "../production.ts";
import { temporaryFolder, watch } from "../service.ts";

const BINARY = await Deno.realPath(Deno.env.get("TEST_BINARY") ?? ".data/customer-service");

for (const workers of [1, 2]) {
  Deno.test(`the executable serves with ${workers} workers and exits with 0`, async () => {
    await using world = await createWorld();
    const ref = await register(world, { email: "ada@example.com" });
    await using folder = await temporaryFolder();
    const [httpPort, grpcPort] = [freePort(), freePort()];
    const process = new Deno.Command(BINARY, {
      cwd: folder.path,
      clearEnv: true,
      env: {
        ...production(world.database.url),
        ...TRUSTING,
        HTTP_PORT: String(httpPort),
        GRPC_PORT: String(grpcPort),
        WORKERS: String(workers),
        DENO_DIR: `${folder.path}/nothing`,
        NPM_CONFIG_REGISTRY: "http://127.0.0.1:1",
      },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    await using service = watch(process);
    const { http } = await portsOf(service);
    assert.equal((await fetch(`http://127.0.0.1:${http}/readyz`)).status, 200);
    const answer = await fetch(`http://127.0.0.1:${http}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", ...gatewayHeaders(ref) },
      body: JSON.stringify({ query: "{ me { email } }" }),
    });
    assert.deepEqual(await answer.json(), { data: { me: { email: "ada@example.com" } } });
    assert.equal((await service.stop("SIGTERM")).code, 0);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder.path)), []);
  });
}
