/** The port that grpc-js is served on. Left to itself, it reports a taken one on the console. */
import { createServer, type Server, type Socket } from "node:net";

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
): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    gather(socket);
    serve(socket);
  });
  await bound(server, bind, port, shared);
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
