/** Import rules between folders. A folder that is not in the table must not import other folders. */
import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);

const ACTORS = ["actors", "actors/customers", "actors/gdpr", "actors/runtime", "actors/stores"];
/** Folders that the files of a folder may import, in addition to their own. Files at the top may import all. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  // Every folder may import lib, which imports none.
  lib: [],
  domain: ["lib"],
  telemetry: ["lib"],
  db: ["domain", "lib", "telemetry"],
  // The runtime makes machines durable and imports none of them.
  "actors/runtime": ["db", "domain", "lib", "telemetry"],
  "actors/customers": ["actors", "actors/gdpr", "actors/runtime", "db", "domain", "lib"],
  "actors/gdpr": ["actors", "actors/runtime", "db", "domain", "lib"],
  "actors/stores": ["actors", "actors/runtime", "db", "domain", "lib"],
  actors: [
    "actors/customers",
    "actors/gdpr",
    "actors/runtime",
    "actors/stores",
    "db",
    "domain",
    "lib",
    "proto",
  ],
  auth: ["config", "db", "domain", "lib"],
  config: ["domain", "lib", "telemetry"],
  demo: [...ACTORS, "auth", "db", "domain", "events", "grpc", "lib", "proto", "telemetry"],
  http: ["config", "db", "domain", "lib", "telemetry"],
  events: ["db", "lib", "proto", "telemetry"],
  gateway: [],
  graph: [...ACTORS, "auth", "db", "domain", "http", "lib", "telemetry"],
  grpc: [],
  inspect: [...ACTORS, "auth", "db", "domain", "http", "lib", "telemetry"],
  proto: [],
  rest: [...ACTORS, "auth", "db", "domain", "http", "lib", "telemetry"],
  rpc: [...ACTORS, "auth", "db", "domain", "grpc", "lib", "proto", "telemetry"],
  tasks: [
    ...ACTORS,
    "auth",
    "config",
    "db",
    "domain",
    "demo",
    "events",
    "gateway",
    "grpc",
    "lib",
    "proto",
    "rest",
  ],
};
/** Tests and benchmarks may import everything; vendor is not ours; examples are programs of clients. */
const OUTSIDE = ["tests", "bench", "vendor", "examples", "node_modules"];

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

const imports = await readImports();

Deno.test("every folder imports only what the table allows", () => {
  const wrong = imports.filter(({ from, to }) => {
    const [here, there] = [folderOf(from), folderOf(to)];
    return here && there !== undefined && here !== there && !(MAY_IMPORT[here] ?? []).includes(there);
  });
  assert.deepEqual(wrong.map(({ from, to }) => `${from} -> ${to}`), []);
});

Deno.test("the examples for clients can be copied, because they import each other and the platform only", async () => {
  let examples = 0;
  for await (const { name } of Deno.readDir(new URL("examples/typescript/", ROOT))) {
    const text = await Deno.readTextFile(new URL(`examples/typescript/${name}`, ROOT));
    for (const [, specifier] of text.matchAll(/\bfrom\s+"([^"]+)"/g)) {
      assert.match(specifier!, /^(\.\/\w+\.ts|node:\w+)$/, name);
    }
    examples++;
  }
  assert.ok(examples > 0);
});

Deno.test("the edges never import each other", () => {
  const edges = ["graph", "rest", "rpc", "inspect"];
  for (const edge of edges) {
    for (const other of MAY_IMPORT[edge] ?? []) assert.ok(!edges.includes(other), `${edge} -> ${other}`);
  }
});

Deno.test("every folder of ours is in the table", () => {
  const folders = new Set(imports.map(({ from }) => folderOf(from)).filter((folder) => folder));
  assert.deepEqual([...folders].filter((folder) => !(folder! in MAY_IMPORT)), []);
});

Deno.test("imports have no cycles, types included", () => {
  const imported = Map.groupBy(imports, ({ from }) => from);
  const done = new Set<string>();
  const follow = (path: string, chain: readonly string[]): void => {
    assert.ok(!chain.includes(path), [...chain, path].join(" -> "));
    if (done.has(path)) return;
    for (const { to } of imported.get(path) ?? []) {
      if (folderOf(to) !== undefined) follow(to, [...chain, path]);
    }
    done.add(path);
  };
  for (const path of imported.keys()) follow(path, []);
});

/** Packages of a start. Each costs time before the service is ready, and memory in every process. */
const START_PACKAGES = `@bufbuild/protobuf @logtape/logtape @opentelemetry/api canonicalize hono iso-3166
  jose lru-cache postgres uuid xstate zod`;

/** Packages of the start of an edge. */
const EDGE_PACKAGES = "@bufbuild/protobuf @logtape/logtape @opentelemetry/api iso-3166 postgres zod";

Deno.test("a start evaluates only the modules that gRPC and the health checks need", () => {
  const loaded = loadedBy(["main.ts", "service.ts"]);
  const own = [...loaded].filter((path) => folderOf(path) !== undefined);
  const folders = new Set(own.map((path) => folderOf(path)));
  assert.ok(own.length > 100 && folders.has("rpc"));
  const late = ["graph", "inspect", "gateway", "tasks"].filter((folder) => folders.has(folder));
  assert.deepEqual(late, []);
  const files = [
    ...["http.ts", "rest/mod.ts", "events/kafka_client.ts", "grpc/reflection.ts"],
    ...["demo/peers/mod.ts", "demo/data.ts", "demo/orders.ts", "auth/development_issuer.ts"],
  ];
  assert.deepEqual(files.filter((file) => loaded.has(file)), []);
  assert.deepEqual(packagesOf(loaded), START_PACKAGES.split(/\s+/));
});

Deno.test("an edge evaluates no code of machines, commands, events, HTTP edges or tokens", () => {
  const loaded = loadedBy(["main.ts", "edge_service.ts"]);
  assert.ok(loaded.has("rpc/server.ts"));
  const late = ["actors", "demo", "events", "gateway", "graph", "inspect", "rest", "tasks"];
  const wrong = [...loaded].filter((path) => late.includes(path.split("/")[0]!));
  assert.deepEqual(wrong, ["actors/customers/price_list.ts"]);
  const files = ["service.ts", "database.ts", "db/embedded.ts", "db/commits.ts", "auth/token.ts"];
  assert.deepEqual(files.filter((file) => loaded.has(file)), []);
  assert.deepEqual(packagesOf(loaded), EDGE_PACKAGES.split(/\s+/));
});

/** The modules that a start with these entries evaluates. */
function loadedBy(entries: readonly string[]): Set<string> {
  const loaded = new Set(entries);
  for (const path of loaded) {
    for (const { from, to, typeOnly } of imports) if (from === path && !typeOnly) loaded.add(to);
  }
  return loaded;
}

function packagesOf(loaded: Set<string>): string[] {
  const packages = [...loaded].filter((path) => folderOf(path) === undefined && !/^(node:|file:)/.test(path));
  return [...new Set(packages.map(packageOf))].sort();
}

/** "@hono/hono/cors" is of the package hono. */
function packageOf(specifier: string): string {
  const [scope = "", name = ""] = specifier.split("/");
  if (scope === "@hono" && name === "hono") return name;
  return scope.startsWith("@") ? `${scope}/${name}` : scope;
}

Deno.test("a machine imports xstate and no other package, directly or indirectly, except types", async () => {
  const machines: string[] = [];
  for await (const path of sources()) {
    if (/^(?! \*).*\.createMachine\(/m.test(await Deno.readTextFile(new URL(path, ROOT)))) {
      machines.push(path);
    }
  }
  assert.ok(machines.length >= 2);
  const reached = new Set(machines);
  for (const path of reached) {
    for (const { from, to, typeOnly } of imports) if (from === path && !typeOnly) reached.add(to);
  }
  const packages = [...reached].filter((path) => folderOf(path) === undefined);
  assert.deepEqual(packages, ["xstate"]);
  const wrong = [...reached].filter((path) => folderOf(path) !== undefined && !/^(actors|lib)\b/.test(path));
  assert.deepEqual(wrong, []);
});

Deno.test("only db/ and the runtime begin transactions", async () => {
  const allowed = ["db", "actors/runtime", "grpc"]; // grpc begins calls, and may not import db
  const begins: string[] = [];
  for await (const path of sources()) {
    const folder = folderOf(path) ?? "";
    const text = await Deno.readTextFile(new URL(path, ROOT));
    if (/\.(begin|savepoint)\(|\.reserve\(\)/.test(text)) begins.push(`${folder} ${path}`);
  }
  assert.ok(begins.some((line) => line.startsWith("db ")));
  assert.deepEqual(begins.filter((line) => !allowed.includes(line.split(" ")[0]!)), []);
  assert.deepEqual(MAY_IMPORT.grpc, []);
});

Deno.test("the edges get readers: no pool, no transaction that writes, no way to open one", () => {
  const edges = ["graph", "rest", "rpc", "inspect"];
  const ofEdges = imports.filter(({ from }) => edges.includes(folderOf(from) ?? ""));
  const reader = "db/store_reader.ts";
  assert.ok(ofEdges.some(({ to }) => to === reader));
  const wrong = ofEdges.filter(({ to, typeOnly }) => to === "db/connect.ts" || (to === reader && !typeOnly));
  assert.deepEqual(wrong.map(({ from, to }) => `${from} -> ${to}`), []);
});

Deno.test("no two exported types have the same name, except one that narrows another", async () => {
  const places = new Map<string, string[]>();
  for await (const path of sources()) {
    if (path.includes("/gen/")) continue;
    const text = await Deno.readTextFile(new URL(path, ROOT));
    for (const [line, name = ""] of text.matchAll(/^export (?:interface|type|class|enum) (\w+)\b.*/gm)) {
      if (new RegExp(`= \\w+\\.${name}<`).test(line)) continue;
      places.set(name, [...places.get(name) ?? [], path]);
    }
  }
  assert.ok(places.size > 100);
  assert.deepEqual([...places].filter(([, { length }]) => length > 1), []);
});

Deno.test("only the top and the tasks read the environment, and only they print", async () => {
  for await (const path of sources()) {
    if (path.startsWith("tasks/") || path.startsWith("proto/") || !path.includes("/")) continue;
    const text = await Deno.readTextFile(new URL(path, ROOT));
    assert.ok(!/Deno\.env|process\.env/.test(text), `${path} reads the environment`);
    assert.ok(!/console\.\w+\(/.test(text), `${path} prints`);
  }
});

/** Called for every frame, where an object for each call would cost more than the rest of the work. */
const MANY_PARAMETERS = /^grpc\/http2\//;

Deno.test("no function has more than four parameters", async () => {
  const violations: string[] = [];
  for await (const path of sources()) {
    if (MANY_PARAMETERS.test(path) || path.includes("/gen/")) continue;
    const text = await Deno.readTextFile(new URL(path, ROOT));
    for (const { message, range } of Deno.lint.runPlugin(PARAMETERS, path, text)) {
      violations.push(`${path}:${text.slice(0, range[0]).split("\n").length} ${message}`);
    }
  }
  assert.deepEqual(violations, []);
  const [wrong] = Deno.lint.runPlugin(PARAMETERS, "wrong.ts", "const add = (a, b, c, d, e) => a;");
  assert.equal(wrong?.message, "has 5 parameters");
});

const PARAMETERS: Deno.lint.Plugin = {
  name: "signatures",
  rules: {
    parameters: {
      create(context) {
        const check = (node: { params: readonly unknown[]; range: Deno.lint.Range }) => {
          const { length } = node.params;
          if (length > 4) context.report({ range: node.range, message: `has ${length} parameters` });
        };
        return {
          FunctionDeclaration: check,
          FunctionExpression: check,
          ArrowFunctionExpression: check,
          TSMethodSignature: check,
          TSFunctionType: check,
        };
      },
    },
  },
};

/** The folder of the table that a path is in, the innermost one; "" at the top, undefined for a package. */
function folderOf(path: string): string | undefined {
  if (!/\.tsx?$/.test(path)) return undefined;
  const folders = path.split("/").slice(0, -1);
  const listed = folders.map((_, index) => folders.slice(0, index + 1).join("/")).findLast((path) =>
    path in MAY_IMPORT
  );
  return listed ?? folders[0] ?? "";
}

async function readImports(): Promise<Import[]> {
  const imports: Import[] = [];
  for await (const from of sources()) {
    const text = await Deno.readTextFile(new URL(from, ROOT));
    for (
      const [, kind, clause, specifier] of text.matchAll(/^(import|export)\b([^;]*?)\bfrom\s+"([^"]+)"/gm)
    ) {
      const to = specifier?.startsWith(".")
        ? new URL(specifier, new URL(from, ROOT)).href.slice(ROOT.href.length)
        : specifier;
      imports.push({ from, to: to ?? "", typeOnly: kind === "import" && /^\s+type\b/.test(clause ?? "") });
    }
  }
  return imports;
}

async function* sources(folder = ""): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(folder || "./", ROOT))) {
    const path = `${folder}${entry.name}`;
    if (entry.name.startsWith(".") || (folder === "" && OUTSIDE.includes(entry.name))) continue;
    if (entry.isDirectory) yield* sources(`${path}/`);
    else if (/\.tsx?$/.test(path)) yield path;
  }
}
