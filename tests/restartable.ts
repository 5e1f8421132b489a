/** Separate PostgreSQL that a test can stop and restart on the same port. */
import { bootstrap } from "../db/bootstrap.ts";
import { startEmbedded } from "../db/embedded.ts";
import { migrate } from "../db/migrate.ts";
import { startTcpProxy } from "./tcp_proxy.ts";

export interface Restartable extends AsyncDisposable {
  /** URL with the service's login, through the fixed port. */
  url: string;
  /** Superuser URL of the same database, through the same port. */
  adminUrl: string;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops responding. */
  silence(): void;
  speak(): void;
}

/** Starts the server with the migrated schema. A proxy forwards the fixed port to its current port. */
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

  let proxy = startTcpProxy(0, Number(direct.port));
  stack.defer(() => proxy.close());
  const port = proxy.port;
  const running = stack.move();
  const through = (url: URL) => Object.assign(new URL(url), { port: String(port) }).href;
  return {
    url: through(direct),
    adminUrl: through(Object.assign(new URL(server.adminUrl), { pathname: direct.pathname })),
    async stop() {
      await server[Symbol.asyncDispose]();
      proxy.close();
    },
    async start() {
      server = await startServer();
      proxy = startTcpProxy(port, Number(new URL(server.adminUrl).port));
    },
    silence: () => proxy.hold(true),
    speak: () => proxy.hold(false),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
