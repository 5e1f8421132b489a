/** HTTP server that reopens its port. Deno ends a server when one accept fails, for example without file descriptors. */
import { getLogger } from "@logtape/logtape";
import { pause } from "../lib/timeout.ts";
import { describeError } from "../lib/error_description.ts";
import { createOutageLog } from "../lib/outage_log.ts";

const RETRY_MS = 100;
/** A server that has run this long counts as recovered. */
const STEADY_MS = 1_000;

export interface ResilientServer {
  port: number;
  /** Stops accepting and waits for the requests under way. */
  shutdown(): Promise<void>;
}

type Server = Deno.HttpServer<Deno.NetAddr>;

/**
 * Serves on the port until `shutdown`. A failed server finishes its accepted requests and closes its connections
 * while another one takes over the port.
 *
 * @param port 0 for any free port
 * @throws the error of the first `open`
 */
export function serveResiliently(port: number, open: (port: number) => Server): ResilientServer {
  const log = getLogger(["customer-service", "http"]);
  const outage = createOutageLog(
    (error) => log.error("Cannot accept HTTP connections: {error}", { error: describeError(error) }),
    () => log.info("Accepts HTTP connections again"),
  );
  const first = open(port);
  const servers = new Set([first]);
  let closed = false;

  async function keepServing(server: Server | undefined): Promise<void> {
    while (server === undefined || await fails(server)) {
      await pause(RETRY_MS);
      if (closed) return;
      server = openAnother();
    }
  }

  /** Waits for the server to end. Returns false after a shutdown. */
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

  void keepServing(first);
  return {
    port: first.addr.port,
    async shutdown() {
      closed = true;
      await Promise.all([...servers].map((server) => server.shutdown()));
    },
  };
}
