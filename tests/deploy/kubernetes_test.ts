/** The Kubernetes manifests match each other, the image and the service. */
import assert from "node:assert/strict";
import { LIMIT_MS } from "../../shutdown.ts";
import { assertStarts } from "./environment.ts";
import { exists, type Loose, readText, readYaml } from "./yaml.ts";

const BASE = "deploy/kubernetes/base";
const OVERLAY = "deploy/kubernetes/overlays/example";

const [base, overlay] = await Promise.all([BASE, OVERLAY].map(async (folder) => await kustomization(folder)));
const objects: Loose[] = (await Promise.all(
  base.resources.map((file: string) => readYaml(`${BASE}/${file}`)),
)).flat();
const find = (kind: string, name = "customer-service") =>
  objects.find((object) => object.kind === kind && object.metadata.name === name) ??
    assert.fail(`no ${kind} ${name}`);
const server = find("Deployment").spec.template;
const migration = find("Job", "customer-service-migrate").spec.template;

Deno.test("the base lists each file, and the overlay refers to existing ones", async () => {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(new URL(`../../${BASE}`, import.meta.url))) files.push(name);
  assert.deepEqual(files.filter((name) => name !== "kustomization.yaml").sort(), [...base.resources].sort());
  for (const path of overlay.resources) assert.ok(await exists(`${OVERLAY}/${path}/kustomization.yaml`));
  for (const { path } of overlay.patches) {
    const [patch] = await readYaml(`${OVERLAY}/${path}`);
    const names = patch.spec.template.spec.containers.map(({ name }: Loose) => name);
    const { containers } = find(patch.kind, patch.metadata.name).spec.template.spec;
    assert.deepEqual(names, containers.map(({ name }: Loose) => name));
  }
  const images = overlay.images.map(({ name }: Loose) => name);
  for (const { spec } of [server, migration]) assert.ok(images.includes(spec.containers[0].image));
});

Deno.test("the service starts with the variables of the base and of the overlay", () => {
  assertStarts(literals(base));
  const config = assertStarts({ ...literals(base), ...literals(overlay) });
  assert.deepEqual(Object.keys(config.gdpr.peers).sort(), [...config.gdpr.participants].sort());
  const [map] = base.configMapGenerator;
  const { envFrom } = server.spec.containers[0];
  assert.equal(envFrom[0].configMapRef.name, map.name);
  assert.equal(overlay.configMapGenerator[0].behavior, "merge");
});

Deno.test("each pod exports telemetry with its own name and the attributes of the config map", () => {
  const env = new Map<string, Loose>(server.spec.containers[0].env.map((each: Loose) => [each.name, each]));
  assert.equal(env.get("POD_NAME").valueFrom.fieldRef.fieldPath, "metadata.name");
  assert.equal(
    env.get("VERSION").valueFrom.fieldRef.fieldPath,
    "metadata.labels['app.kubernetes.io/version']",
  );
  const [{ pairs, includeTemplates }] = overlay.labels;
  assert.equal(pairs["app.kubernetes.io/version"], overlay.images[0].newTag);
  assert.equal(includeTemplates, true);
  for (const layers of [[base], [base, overlay]]) {
    const map = Object.assign({}, ...layers.map(literals));
    // as the kubelet expands it
    const attributes = env.get("OTEL_RESOURCE_ATTRIBUTES").value.replace(
      /\$\((\w+)\)/g,
      (_: string, name: string) =>
        ({ ...map, POD_NAME: "pod-a", VERSION: "1.0.0" })[name] ?? assert.fail(name),
    );
    const own = "service.version=1.0.0,service.instance.id=pod-a";
    assert.equal(attributes, `${map.OTEL_RESOURCE_ATTRIBUTES},${own}`);
    assert.ok(map.OTEL_RESOURCE_ATTRIBUTES.includes("service.namespace="));
  }
});

Deno.test("selectors match the service's pods and no others", () => {
  const selectors = [
    find("Deployment").spec.selector.matchLabels,
    find("Service").spec.selector,
    find("Service", "customer-service-grpc").spec.selector,
    find("PodDisruptionBudget").spec.selector.matchLabels,
    ...server.spec.topologySpreadConstraints.map(({ labelSelector }: Loose) => labelSelector.matchLabels),
  ];
  for (const selector of selectors) {
    assert.ok(matches(selector, server.metadata.labels), JSON.stringify(selector));
    assert.ok(!matches(selector, migration.metadata.labels), JSON.stringify(selector));
  }
  const policed = find("NetworkPolicy").spec.podSelector.matchLabels;
  for (const { metadata } of [server, migration]) assert.ok(matches(policed, metadata.labels));
  assert.equal(find("HorizontalPodAutoscaler").spec.scaleTargetRef.name, find("Deployment").metadata.name);
  for (const { spec } of [server, migration]) {
    assert.equal(spec.serviceAccountName, find("ServiceAccount").metadata.name);
  }
});

Deno.test("all ports are those of the service", () => {
  const { httpPort, grpcPort } = assertStarts(literals(base));
  const [container] = server.spec.containers;
  const named = container.ports.map(({ name, containerPort }: Loose) => [name, containerPort]);
  const ports: Record<string, number> = Object.fromEntries(named);
  assert.deepEqual(Object.entries(ports), [["http", httpPort], ["grpc", grpcPort]]);
  for (const name of ["customer-service", "customer-service-grpc"]) {
    for (const { port, targetPort } of find("Service", name).spec.ports) {
      assert.equal(ports[targetPort], port);
    }
  }
  const open = find("NetworkPolicy").spec.ingress.flatMap(({ ports }: Loose) =>
    ports.map(({ port }: Loose) => port)
  );
  assert.deepEqual(open, [httpPort, grpcPort]);
});

Deno.test("probes use existing endpoints, and only readiness depends on the database", async () => {
  const [container] = server.spec.containers;
  const paths = ["startupProbe", "livenessProbe", "readinessProbe"].map((probe) => container[probe].httpGet);
  assert.deepEqual(paths.map(({ path }) => path), ["/healthz", "/healthz", "/readyz"]);
  const health = await readText("rest/health.ts");
  for (const { path, port } of paths) {
    assert.ok(health.includes(`"${path}"`), path);
    assert.equal(port, "http");
  }
});

Deno.test("the termination grace period covers the service's shutdown", () => {
  const { shutdownDelayMs } = assertStarts(literals(base));
  const needed = (shutdownDelayMs + LIMIT_MS) / 1_000;
  assert.ok(server.spec.terminationGracePeriodSeconds > needed, `${needed} s`);
});

Deno.test("the documentation counts the connections of the maximum number of pods", async () => {
  const { databasePoolSize } = assertStarts(literals(base));
  const pods = find("HorizontalPodAutoscaler").spec.maxReplicas +
    find("Deployment").spec.strategy.rollingUpdate.maxSurge;
  const each = databasePoolSize + 14; // as main.ts opens them
  assert.match(
    await readText("docs/deployment.md"),
    new RegExp(`need ${pods * each} of \`max_connections\``),
  );
  assert.match(await readText(`${BASE}/autoscaler.yaml`), new RegExp(`up to ${each} connections`));
});

Deno.test("every container is unprivileged, read-only and has resource limits", async () => {
  const [user] = (await readText("Dockerfile")).match(/(?<=^USER )\d+/m) ?? [];
  for (const { spec } of [server, migration]) {
    assert.equal(spec.securityContext.runAsNonRoot, true);
    assert.equal(spec.securityContext.runAsUser, Number(user));
    assert.equal(spec.securityContext.seccompProfile.type, "RuntimeDefault");
    assert.equal(spec.automountServiceAccountToken, false);
    for (const { securityContext, resources } of spec.containers) {
      assert.equal(securityContext.readOnlyRootFilesystem, true);
      assert.equal(securityContext.allowPrivilegeEscalation, false);
      assert.deepEqual(securityContext.capabilities, { drop: ["ALL"] });
      assert.ok(resources.limits.memory && resources.requests.cpu);
    }
  }
  const task = migration.spec.containers[0].command.at(-1);
  assert.ok(await exists(task));
  assert.match(await readText("Dockerfile"), new RegExp(`deno cache .* ${task}`));
});

Deno.test("mounted paths are readable by the service", async () => {
  const [patch] = await readYaml(`${OVERLAY}/vault.yaml`);
  const { read } = JSON.parse(await readText("deno.json")).permissions.default;
  for (const { mountPath } of patch.spec.template.spec.containers[0].volumeMounts) {
    assert.ok(read.some((folder: string) => `${mountPath}/`.startsWith(`${folder}/`)), mountPath);
  }
  const mounts = patch.spec.template.spec.containers[0].volumeMounts.map(({ name }: Loose) => name);
  assert.deepEqual(patch.spec.template.spec.volumes.map(({ name }: Loose) => name), mounts);
});

async function kustomization(folder: string): Promise<Loose> {
  const [object] = await readYaml(`${folder}/kustomization.yaml`);
  assert.equal(object.kind, "Kustomization");
  return object;
}

function literals({ configMapGenerator: [map] }: Loose): Record<string, string> {
  return Object.fromEntries(map.literals.map((line: string) => line.split(/=(.*)/s, 2)));
}

function matches(selector: Record<string, string>, labels: Record<string, string>): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}
