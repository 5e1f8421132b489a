/** The port that grpc-js is served on. Left to itself, it reports a taken one on the console, and bounds nothing. */
import { getLogger } from "@logtape/logtape";
import { createServer, type Server, type Socket } from "node:net";
import { createTrouble } from "../db/trouble.ts";

export interface Listener {
  port: number;
  /** Takes no new connection from now on, and waits until the last one has ended. */
  drained(): Promise<void>;
  /** Ends the connections that are left. */
  cut(): void;
}

/** The port cannot be had; the message says so in a sentence. */
export class ListenError extends Error {
  override name = "ListenError";
}

export interface ListenLimits {
  /** Connections at a time; what goes beyond is closed at once. */
  connections: number;
  /** How long a client may take to begin, in milliseconds. */
  beginMs: number;
}

/** A caller keeps one connection for all its calls: so many are those of a fleet, or somebody's who only connects. */
const LIMITS: ListenLimits = { connections: 1_000, beginMs: 10_000 };

/** What a client of HTTP/2 sends first, RFC 9113 section 3.4; of TLS, its hello is longer. */
const PREFACE_BYTES = 24;

/**
 * Hands every connection to `serve`.
 *
 * @param port 0 takes a free one
 * @param shared other processes of the service may listen there too; the kernel deals out the connections
 * @throws {ListenError}
 */
export async function listen(
  bind: string,
  port: number,
  serve: (socket: Socket) => void,
  shared = false,
  { connections, beginMs }: ListenLimits = LIMITS,
): Promise<Listener> {
  const sockets = new Set<Socket>();
  const log = getLogger(["customer-service", "rpc"]);
  const full = createTrouble(
    () => log.warn("Refuses gRPC connections: {connections} are open", { connections }),
    () => log.info("Takes all gRPC connections again"),
  );
  const server = createServer({ noDelay: true }, (socket) => {
    if (sockets.size >= connections) {
      full.tell(undefined);
      socket.destroy();
      return;
    }
    sockets.add(socket);
    const late = setTimeout(() => {
      if (socket.bytesRead < PREFACE_BYTES) socket.destroy();
    }, beginMs);
    socket.once("close", () => {
      clearTimeout(late);
      sockets.delete(socket);
      if (sockets.size < connections / 2) full.over();
    });
    gather(socket);
    serve(socket);
  });
  await bound(server, bind, port, shared);
  keepAccepting(server);
  return {
    port: (server.address() as { port: number }).port,
    drained: () => new Promise((resolve) => server.close(() => resolve())),
    cut: () => sockets.forEach((socket) => socket.destroy()),
  };
}

function bound(server: Server, host: string, port: number, reusePort: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const why = "code" in cause && cause.code === "EADDRINUSE" ? "the port is taken" : cause.message;
      reject(new ListenError(`Cannot serve gRPC on ${host} port ${port}: ${why}`, { cause }));
    });
    server.listen({ port, host, reusePort }, resolve);
  });
}

/** Connections that the kernel holds for us, as Node has it. */
const BACKLOG = 511;
const LOOK_AGAIN_MS = 1_000;

/**
 * Deno's node:net accepts nothing any more, and says so to nobody, once an accept() has failed, as it does while the
 * process has no descriptor left. The same socket told to listen once more looks again; nothing public tells it to.
 */
function keepAccepting(server: Server): void {
  const inner = server as Server & { _handle?: { listen(backlog: number): number } | null };
  const timer = setInterval(() => inner._handle?.listen(BACKLOG), LOOK_AGAIN_MS);
  server.once("close", () => clearInterval(timer));
}

/** HTTP/2 writes every frame by itself; this lets the frames of one turn leave together. */
function gather(socket: Socket): void {
  const write = socket.write;
  let gathering = false;
  socket.write = function (this: Socket, ...args: unknown[]) {
    if (!gathering) {
      gathering = true;
      socket.cork();
      setImmediate(() => {
        gathering = false;
        socket.uncork();
      });
    }
    return Reflect.apply(write, socket, args);
  } as typeof write;
}
