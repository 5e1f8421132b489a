/** HTTP's port, kept: Deno gives up a whole server when it cannot accept one connection, for want of a descriptor. */
import { getLogger } from "@logtape/logtape";
import { pause } from "../lib/timeout.ts";
import { describeError } from "../lib/error_description.ts";
import { createOutageLog } from "../lib/outage_log.ts";

const AGAIN_MS = 100;
/** What has lasted for so long accepts again. */
const STEADY_MS = 1_000;

export interface KeptPort {
  port: number;
  /** Stops accepting and waits for the requests under way. */
  shutdown(): Promise<void>;
}

type Server = Deno.HttpServer<Deno.NetAddr>;

/**
 * Serves on the port until told otherwise. A server that has failed answers what it has accepted, lets go of its
 * connections, and is followed by another one.
 *
 * @param port 0 is any free one
 * @throws what `open` throws the first time
 */
export function keepPort(port: number, open: (port: number) => Server): KeptPort {
  const log = getLogger(["customer-service", "http"]);
  const outage = createOutageLog(
    (error) => log.error("Cannot accept HTTP connections: {error}", { error: describeError(error) }),
    () => log.info("Accepts HTTP connections again"),
  );
  const first = open(port);
  const servers = new Set([first]);
  let closed = false;

  async function keep(server: Server | undefined): Promise<void> {
    while (server === undefined || await fails(server)) {
      await pause(AGAIN_MS);
      if (closed) return;
      server = openAnother();
    }
  }

  /** False when it has been shut down. */
  async function fails(server: Server): Promise<boolean> {
    const steady = setTimeout(outage.end, STEADY_MS);
    try {
      await server.finished;
      return false;
    } catch (error) {
      outage.report(error);
      const forget = () => servers.delete(server);
      server.shutdown().then(forget, forget);
      return true;
    } finally {
      clearTimeout(steady);
    }
  }

  function openAnother(): Server | undefined {
    try {
      const server = open(first.addr.port);
      servers.add(server);
      return server;
    } catch (error) {
      outage.report(error);
    }
  }

  void keep(first);
  return {
    port: first.addr.port,
    async shutdown() {
      closed = true;
      await Promise.all([...servers].map((server) => server.shutdown()));
    },
  };
}
