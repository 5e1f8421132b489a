/** Attacked service: a main.ts process on a copy of a migrated database, with one customer. */
import postgres from "postgres";
import { v5 as uuidV5 } from "uuid";
import { systemPrincipal } from "../../domain/principal.ts";
import { openDevelopmentIssuer } from "../../auth/development_issuer.ts";
import { bootstrap, LOGIN } from "../../db/bootstrap.ts";
import { startEmbedded } from "../../db/embedded.ts";
import { migrate } from "../../db/migrate.ts";
import { DEMO } from "../../demo/ids.ts";
import { NOBODY_LISTENS } from "../production.ts";
import { type RunningService, startService } from "../service.ts";
import { freePort } from "../ports.ts";
import type { Visit } from "./innocent.ts";
import type { Tokens } from "./target.ts";

const TEMPLATE = "attack_template";
const PASSWORD = "attack";
const { storeId, staffId } = DEMO;

export interface Victim extends AsyncDisposable {
  service: RunningService;
  visit: Omit<Visit, "bystanderPort">;
  tokens: Tokens;
}

export interface Ground extends AsyncDisposable {
  /** Starts the service on a separate database. */
  victim(): Promise<Victim>;
}

/** @param adminUrl superuser URL of PostgreSQL; by default an embedded one is started */
export async function prepareGround(adminUrl?: string): Promise<Ground> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(
    await Deno.makeTempDir({ prefix: "customer-service-attack-" }),
    (folder) => Deno.remove(folder, { recursive: true }),
  );
  await Deno.chmod(folder, 0o711);
  const settings = { fsync: "off", full_page_writes: "off" };
  adminUrl ??= stack.use(await startEmbedded(`${folder}/database`, { settings })).adminUrl;
  const admin = stack.adopt(
    postgres(adminUrl, { max: 1, onnotice: () => {} }),
    (sql) => sql.end({ timeout: 1 }),
  );
  const drop = (name: string) => admin`drop database if exists ${admin(name)} with (force)`;
  await migrate(await bootstrap(adminUrl, TEMPLATE, PASSWORD));
  stack.defer(async () => void await drop(TEMPLATE));
  const kept = stack.move();
  return {
    async victim() {
      const name = `attack_${crypto.randomUUID().replaceAll("-", "")}`;
      await admin`create database ${admin(name)} template ${admin(TEMPLATE)} owner customer_owner`;
      const url = Object.assign(new URL(adminUrl), {
        pathname: `/${name}`,
        username: LOGIN,
        password: PASSWORD,
      });
      await using stack = new AsyncDisposableStack();
      stack.defer(async () => void await drop(name));
      const victim = await start(stack, url.href, folder);
      const running = stack.move();
      return { ...victim, [Symbol.asyncDispose]: () => running.disposeAsync() };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function start(stack: AsyncDisposableStack, databaseUrl: string, dataDirectory: string) {
  const [httpPort, grpcPort] = [freePort(), freePort()];
  const service = stack.use(startService({
    DATABASE_URL: databaseUrl,
    DATA_DIR: dataDirectory,
    HTTP_PORT: String(httpPort),
    GRPC_PORT: String(grpcPort),
    PEER_ORDER_SERVICE_URL: `http://${NOBODY_LISTENS}`, // no demonstration services in the measured process
  }));
  await service.ready();
  const issuer = await openDevelopmentIssuer(dataDirectory);
  const sign = (id: string, type: "CUSTOMER" | "STAFF", roles: readonly "STORE_MANAGER"[] = []) =>
    issuer.sign({ principal: { id, type, storeId, roles: [...roles] }, service: undefined }, 3_600);
  const serviceToken = (name: string) =>
    issuer.sign({
      principal: { ...systemPrincipal(storeId), id: uuidV5(`${name}.localhost`, uuidV5.DNS) },
      service: name,
    }, 3_600);
  const [innocentId, attackerId] = await Promise.all(
    ["innocent", "attacker"].map((name) => register(httpPort, serviceToken("identity-service"), name)),
  );
  const visit: Victim["visit"] = {
    httpPort,
    grpcPort,
    customerId: innocentId!,
    storeId,
    customerToken: await sign(innocentId!, "CUSTOMER"),
    serviceToken: await serviceToken("cart-service"),
  };
  const tokens = {
    customer: await sign(attackerId!, "CUSTOMER"),
    manager: await sign(staffId, "STAFF", ["STORE_MANAGER"]),
  };
  return { service, visit, tokens };
}

async function register(port: number, token: Promise<string>, name: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/customers`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${await token}` },
    body: JSON.stringify({ email: `${name}@shop.example`, name }),
  });
  const body = await response.json();
  if (response.status !== 201) throw new Error(`Cannot register ${name}: ${JSON.stringify(body)}`);
  return body.customerId ?? body.id;
}
