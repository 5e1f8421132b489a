/** Alternatives to this service: built into `.data/bench` on first use, with a simple database of 200,000 customers. */
import postgres from "postgres";
import { freePort } from "../tests/ports.ts";
import type { CustomerId } from "./_database.ts";
import { type Serving, servingOn } from "./_processes.ts";

const HERE = new URL(".", import.meta.url).pathname;
const CACHE = new URL("../.data/bench/", import.meta.url).pathname;
const STORE = "11111111-1111-4111-8111-111111111111";
const LOGIN = { username: "baseline", password: "baseline" };

/** An alternative cannot be built. The message is for the person who runs the benchmark. */
export class Missing extends Error {
  override name = "Missing";
}

export interface Baseline {
  /** URL of its database, on the same server. */
  url: string;
  customers: CustomerId[];
}

/** Creates the database of the alternatives. */
export async function loadBaseline(adminUrl: string, count = 200_000): Promise<Baseline> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => {} });
  await admin.unsafe(`create role ${LOGIN.username} login password '${LOGIN.password}'`);
  await admin.unsafe(`create database baseline owner ${LOGIN.username}`);
  await admin.end();
  const url = Object.assign(new URL(adminUrl), { ...LOGIN, pathname: "/baseline" }).href;
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const tables = await Deno.readTextFile(`${HERE}_baseline.sql`);
  await sql.unsafe(tables.replaceAll("$CUSTOMERS", String(count)));
  await sql.unsafe("vacuum analyze");
  await sql.end();
  const customers = Array.from({ length: count }, (_, at) => ({
    storeId: STORE,
    customerId: `00000000-0000-4000-8000-${String(at + 1).padStart(12, "0")}`,
  }));
  return { url, customers };
}

/**
 * Starts Quarkus with grpc-java on Netty and the reactive PostgreSQL client.
 *
 * @throws {Missing} Java or Maven is not installed, or cannot load the packages
 */
export async function startQuarkus({ url }: Baseline): Promise<Serving> {
  const folder = await build("quarkus", ["mvn", "-q", "-B", "-DskipTests", "package"]);
  const [grpc, http] = [freePort(), freePort()];
  const { host, pathname } = new URL(url);
  return await servingOn({
    command: "java",
    args: ["-Xmx512m", "-jar", `${folder}/target/quarkus-app/quarkus-run.jar`],
    port: grpc,
    env: {
      QUARKUS_HTTP_PORT: String(http),
      QUARKUS_GRPC_SERVER_PORT: String(grpc),
      QUARKUS_GRPC_SERVER_HOST: "127.0.0.1",
      QUARKUS_GRPC_SERVER_USE_SEPARATE_SERVER: "true",
      QUARKUS_DATASOURCE_USERNAME: LOGIN.username,
      QUARKUS_DATASOURCE_PASSWORD: LOGIN.password,
      QUARKUS_DATASOURCE_REACTIVE_URL: `postgresql://${host}${pathname}`,
    },
  });
}

/**
 * Starts a GraphQL server on Node.
 *
 * @throws {Missing} Node or npm is not installed, or cannot load the packages
 */
export async function startNodeGraph(
  name: "apollo" | "mercurius",
  { url }: Baseline,
  env: Record<string, string>,
): Promise<Serving> {
  const folder = await build("graphql", ["npm", "install", "--silent", "--no-audit", "--no-fund"]);
  const port = freePort();
  return await servingOn({
    command: "node",
    args: [`${folder}/${name}.mjs`],
    port,
    env: { NODE_ENV: "production", PORT: String(port), DATABASE_URL: url, ...env },
  });
}

/**
 * Starts a simple gRPC service on Node: grpc-js and pg on the service's own tables, one query per call.
 *
 * @throws {Missing} Node or npm is not installed, or cannot load the packages
 */
export async function startPlainNode(databaseUrl: string): Promise<Serving> {
  const folder = await build("plain", ["npm", "install", "--silent", "--no-audit", "--no-fund"]);
  const port = freePort();
  const proto = new URL("../proto", import.meta.url).pathname;
  return await servingOn({
    command: "node",
    args: [`${folder}/server.mjs`, databaseUrl, proto, String(port)],
    port,
  });
}

/** Copies the sources of an alternative and builds them once for each version of the sources. Returns the folder. */
async function build(name: string, [command = "", ...args]: string[]): Promise<string> {
  const files = await filesOf(`${HERE}${name}`);
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(`${HERE}${name}/${file}`)));
  const source = new TextEncoder().encode(JSON.stringify([files, texts]));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", source)).toHex().slice(0, 12);
  const folder = `${CACHE}${name}-${hash}`;
  const done = `${folder}/.built`;
  if (await Deno.stat(done).then(() => true, () => false)) return folder;
  for (const [at, file] of files.entries()) {
    const path = `${folder}/${file}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, texts[at]!);
  }
  const built = await new Deno.Command(command, { args, cwd: folder }).output().catch(() => undefined);
  if (!built) throw new Missing(`${command} is not installed`);
  if (!built.success) throw new Missing(`${command} ${args.join(" ")} has failed in ${folder}`);
  await Deno.writeTextFile(done, "");
  return folder;
}

async function filesOf(folder: string, prefix = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    if (isDirectory) files.push(...await filesOf(folder, `${prefix}${name}/`));
    else files.push(`${prefix}${name}`);
  }
  return files.sort();
}
