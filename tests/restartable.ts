/** A PostgreSQL of a test's own that goes away and comes back on the port that it had. */
import { bootstrap } from "../db/bootstrap.ts";
import { startEmbedded } from "../db/embedded.ts";
import { migrate } from "../db/migrate.ts";
import { openDoor } from "./door.ts";

export interface Restartable extends AsyncDisposable {
  /** For the service's own login; through the port that stays. */
  url: string;
  /** A superuser's connection to the same database, through the same port. */
  adminUrl: string;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Answers nothing from now on. */
  silence(): void;
  speak(): void;
}

/** The schema is there; a port of ours leads to wherever the server is now. */
export async function createRestartable(): Promise<Restartable> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(
    await Deno.makeTempDir({ prefix: "customer-service-outage-" }),
    (folder) => Deno.remove(folder, { recursive: true }),
  );
  await Deno.chmod(folder, 0o711);
  const startServer = () => startEmbedded(folder, { settings: { fsync: "off" } });
  let server = await startServer();
  stack.defer(() => server[Symbol.asyncDispose]());
  const direct = new URL(await bootstrap(server.adminUrl, "customers", "test"));
  await migrate(direct.href);

  let door = openDoor(0, Number(direct.port));
  stack.defer(() => door.close());
  const port = door.port;
  const running = stack.move();
  const through = (url: URL) => Object.assign(new URL(url), { port: String(port) }).href;
  return {
    url: through(direct),
    adminUrl: through(Object.assign(new URL(server.adminUrl), { pathname: direct.pathname })),
    async stop() {
      await server[Symbol.asyncDispose]();
      door.close();
    },
    async start() {
      server = await startServer();
      door = openDoor(port, Number(new URL(server.adminUrl).port));
    },
    silence: () => door.hold(true),
    speak: () => door.hold(false),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
