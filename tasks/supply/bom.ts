/** Writes the bill of materials, CycloneDX 1.6 in JSON. The output is deterministic. */
import { Contrib, Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import parse from "spdx-expression-parse";
import { readDirect } from "./direct_dependencies.ts";
import { idOf, type Package } from "./packages.ts";

/** SPDX name of the license in the file LICENSE. */
const OWN_LICENSE = "Apache-2.0";

export interface BomOptions {
  /** Version of the service, if it has one. */
  version?: string;
  /** Timestamp. Omit it to make the output depend on the packages only. */
  made?: Date;
  deno: string;
}

export function writeBom(packages: readonly Package[], { version, made, deno }: BomOptions): string {
  const service = new Models.Component(Enums.ComponentType.Application, "customer-service", {
    bomRef: "customer-service",
    ...(version === undefined ? {} : { version }),
    licenses: licenses(OWN_LICENSE),
  });
  const runtime = new Models.Component(Enums.ComponentType.Platform, "deno", {
    bomRef: `deno@${deno}`,
    version: deno,
    purl: `pkg:github/denoland/deno@v${deno}`,
    licenses: licenses("MIT"),
    scope: Enums.ComponentScope.Required,
  });
  const components = new Map(packages.map((found) => [idOf(found), component(found)]));
  for (const dependent of packages) {
    for (const other of dependent.dependsOn) {
      const dependency = components.get(other);
      if (dependency) components.get(idOf(dependent))!.dependencies.add(dependency.bomRef);
    }
  }
  const direct = new Set(readDirect().map(idOf));
  const used = packages.filter((found) => !found.npm || direct.has(idOf(found)));
  for (const top of [runtime, ...used.map((found) => components.get(idOf(found))!)]) {
    service.dependencies.add(top.bomRef);
  }
  const bom = new Models.Bom({
    metadata: new Models.Metadata({ component: service, ...(made && { timestamp: made }) }),
    components: new Models.ComponentRepository([runtime, ...components.values()]),
  });
  const normalize = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return new Serialize.JsonSerializer(normalize).serialize(bom, { sortLists: true, space: 2 }) + "\n";
}

function component({ name, version, scope, license, npm }: Package): Models.Component {
  const hashes = npm && new Models.HashDictionary([[Enums.HashAlgorithm["SHA-512"], hex(npm.integrity)]]);
  return new Models.Component(Enums.ComponentType.Library, name, {
    bomRef: `${name}@${version}`,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    scope: SCOPES[scope],
    ...(license && { licenses: licenses(license) }),
    ...(hashes ? { hashes } : { description: "Vendored in vendor/, whose README.md describes the changes" }),
  });
}

const SCOPES: Record<Package["scope"], Enums.ComponentScope> = {
  required: Enums.ComponentScope.Required,
  optional: Enums.ComponentScope.Optional,
  excluded: Enums.ComponentScope.Excluded,
};

function licenses(expression: string): Models.LicenseRepository {
  return new Models.LicenseRepository([
    new Contrib.License.Factories.LicenseFactory(parse).makeFromString(expression),
  ]);
}

/** From npm's `sha512-…` in base64. */
function hex(integrity: string): string {
  return Uint8Array.fromBase64(integrity.replace("sha512-", "")).toHex();
}
