/** deploy/compose.yaml refers to existing things. Running it needs a container engine. */
import assert from "node:assert/strict";
import { SOURCES } from "../../config/vault_secrets.ts";
import { VERSION } from "../vault/installation.ts";
import { assertStarts } from "./environment.ts";
import { exists, type Loose, readText, readYaml } from "./yaml.ts";

const [{ services, volumes }] = await readYaml("deploy/compose.yaml");

Deno.test("mounted and built files exist, and so do the services in depends_on", async () => {
  for (const [name, service] of Object.entries<Loose>(services)) {
    for (const volume of service.volumes ?? []) {
      const [source] = volume.split(":");
      assert.ok(source.startsWith(".") ? await exists(`deploy/${source}`) : source in volumes, volume);
    }
    if (service.build) assert.ok(await exists(`deploy/${service.build.context}/Dockerfile`));
    for (const [other, { condition }] of Object.entries<Loose>(service.depends_on ?? {})) {
      assert.ok(other in services, `${name} waits for ${other}`);
      const hasHealth = services[other].healthcheck || services[other].build;
      assert.ok(condition !== "service_healthy" || hasHealth, `${other} has no health check`);
    }
  }
});

Deno.test("the service starts with its variables and the seeded secrets of Vault", async () => {
  const { read_only, cap_drop } = services["customer-service"];
  assertStarts(environment());
  assert.ok(read_only);
  assert.deepEqual(cap_drop, ["ALL"]);
  const seed = await readText("deploy/compose/seed_vault.sh");
  for (const { path } of SOURCES) assert.match(seed, new RegExp(`-mount=ss3/kv ${path} `));
});

Deno.test("the Vault has the version that tests/vault uses", () => {
  for (const name of ["vault", "seed-vault"]) {
    assert.equal(`${services[name].image}`.split(":")[1], VERSION, name);
  }
});

Deno.test("only the service's ports are published, on loopback", () => {
  const { httpPort, grpcPort } = assertStarts(environment());
  const own = services["customer-service"].ports;
  assert.deepEqual(own, [httpPort, grpcPort].map((port) => `127.0.0.1:${port}:${port}`));
  for (const { ports = [] } of Object.values<Loose>(services)) {
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
  }
});

Deno.test("the collector's receivers match the service, and its pipelines name existing components", async () => {
  const [{ receivers, processors, exporters, service }] = await readYaml("deploy/compose/collector.yaml");
  const [, port] = receivers.otlp.protocols.http.endpoint.split(":");
  assert.match(services.router.environment.OTLP_ENDPOINT, new RegExp(`^http://collector:${port}$`));
  assert.match(await readText("deploy/compose/seed_vault.sh"), new RegExp(`http://collector:${port}$`, "m"));
  for (const pipeline of Object.values<Loose>(service.pipelines)) {
    for (const name of pipeline.receivers) assert.ok(name in receivers);
    for (const name of pipeline.processors) assert.ok(name in processors);
    for (const name of pipeline.exporters) assert.ok(name in exporters);
  }
});

Deno.test("the scripts are valid for a POSIX shell", async () => {
  for (const script of ["logins.sh", "seed_vault.sh"]) {
    const path = new URL(`../../deploy/compose/${script}`, import.meta.url).pathname;
    assert.ok((await new Deno.Command("sh", { args: ["-n", path] }).output()).success, script);
  }
});

function environment(): Record<string, string> {
  const { environment } = services["customer-service"];
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]));
}
