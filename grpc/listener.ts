/** Listening port of a server: plain TCP, or TLS with or without client certificates. */
import { createServer, type TLSSocket } from "node:tls";
import type { Socket } from "node:net";
import type { ByteStream, Peer } from "./http2/byte_stream.ts";
import { tlsByteStream } from "./tls_byte_stream.ts";

export interface TlsOptions {
  /** PEM. */
  certificate: string;
  key: string;
  /** PEM; with it, clients have to show a certificate that it has signed. */
  clientCa?: string | undefined;
}

export interface ListenOptions {
  hostname: string;
  /** 0 takes a free one. */
  port: number;
  /** Whether other processes may listen on the port too; the kernel spreads the connections. */
  reusePort?: boolean | undefined;
  tls?: TlsOptions | undefined;
  /** Time that a TLS handshake may take, milliseconds. */
  handshakeMs: number;
}

/** Callbacks of a listener for its connections. */
export interface Acceptor {
  /** Asks for room at the moment of the connection, before any TLS; undefined refuses it. */
  admit(address: string, close: () => void): Pending | undefined;
  /** Accepting failed, for want of file descriptors for example; it is tried again. */
  onTrouble(error: unknown): void;
  /** Accepting works again. */
  onRecovery(): void;
}

export interface Pending {
  /** The connection is ready; TLS has been negotiated. */
  ready(stream: ByteStream, peer: Peer): void;
  /** The connection has ended, ready or not. May be called again. */
  ended(): void;
}

export interface Listener {
  port: number;
  /** Accepts nothing more; resolves once the port is free. */
  close(): Promise<void>;
}

/** The port cannot be listened on; the message says why. */
export class ListenError extends Error {
  override name = "ListenError";
}

/** @throws {ListenError} */
export function listen(options: ListenOptions, acceptor: Acceptor): Promise<Listener> {
  return options.tls
    ? listenTls(options, options.tls, acceptor)
    : Promise.resolve(listenTcp(options, acceptor));
}

const RETRY_MS = 100;

function listenTcp({ hostname, port, reusePort }: ListenOptions, acceptor: Acceptor): Listener {
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname, port, ...(reusePort ? { reusePort } : {}) });
  } catch (cause) {
    throw new ListenError(whyNot(hostname, port, cause), { cause });
  }
  let isClosed = false;
  const accepting = (async () => {
    let isTroubled = false;
    while (!isClosed) {
      try {
        const connection = await listener.accept();
        if (isTroubled) acceptor.onRecovery();
        isTroubled = false;
        take(connection, acceptor);
      } catch (error) {
        if (isClosed) return;
        isTroubled = true;
        acceptor.onTrouble(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  })();
  return {
    port: listener.addr.port,
    close() {
      isClosed = true;
      listener.close();
      return accepting;
    },
  };
}

function take(connection: Deno.TcpConn, acceptor: Acceptor): void {
  const address = connection.remoteAddr.hostname;
  const close = () => {
    try {
      connection.close();
    } catch { /* it is closed */ }
  };
  const pending = acceptor.admit(address, close);
  if (!pending) return close();
  connection.setNoDelay(true);
  pending.ready({
    read: (into) => connection.read(into),
    write: (bytes) => connection.write(bytes),
    closeWrite: () => connection.closeWrite(),
    close,
  }, { address });
}

/** `Deno.listenTls` cannot ask for client certificates; node:tls can. */
async function listenTls(
  { hostname, port, reusePort, handshakeMs }: ListenOptions,
  { certificate, key, clientCa }: TlsOptions,
  acceptor: Acceptor,
): Promise<Listener> {
  const handshakes = new Map<string, { socket: Socket; pending: Pending }>();
  const server = createServer({
    cert: certificate,
    key,
    ALPNProtocols: ["h2"],
    minVersion: "TLSv1.2",
    handshakeTimeout: handshakeMs,
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  });
  server.on("connection", (socket: Socket) => {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined) return socket.destroy(); // the client has reset it
    const from = nameOf(socket);
    const pending = acceptor.admit(remoteAddress, () => socket.destroy());
    if (!pending) return socket.destroy();
    handshakes.set(from, { socket, pending });
    socket.on("error", () => {});
    socket.once("close", () => {
      if (handshakes.get(from)?.socket === socket) handshakes.delete(from);
      pending.ended();
    });
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    const from = nameOf(socket);
    const pending = handshakes.get(from)?.pending;
    handshakes.delete(from);
    const peer = { address: socket.remoteAddress ?? "", certificate: certificateOf(socket) };
    if (pending && socket.alpnProtocol === "h2") pending.ready(tlsByteStream(socket), peer);
    else {
      socket.destroy();
      pending?.ended();
    }
  });
  server.on("tlsClientError", (_error, socket) => socket?.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(new ListenError(whyNot(hostname, port, cause), { cause })));
    server.listen({ host: hostname, port, ...(reusePort ? { reusePort } : {}) }, resolve);
  });
  server.on("error", (error) => acceptor.onTrouble(error));
  const stopLooking = keepAccepting(server);
  return {
    port: (server.address() as { port: number }).port,
    close() {
      stopLooking();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // The server would wait for their handshakes.
      for (const { socket } of handshakes.values()) socket.destroy();
      return closed;
    },
  };
}

function nameOf({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">): string {
  return `${remoteAddress}:${remotePort}`;
}

function certificateOf(socket: TLSSocket): Uint8Array | undefined {
  const { raw } = socket.getPeerCertificate() ?? {};
  return raw && new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
}

/** Connections that the kernel holds for us, as Node has it. */
const BACKLOG = 511;
const LOOK_AGAIN_MS = 1_000;

/**
 * Deno's node:net stops accepting, without an event, once an accept() has failed, as it does while the process has no
 * descriptor left. Listening again on the same handle resumes; nothing public does that.
 */
function keepAccepting(server: unknown): () => void {
  const inner = server as { _handle?: { listen(backlog: number): number } | null };
  const timer = setInterval(() => inner._handle?.listen(BACKLOG), LOOK_AGAIN_MS);
  return () => clearInterval(timer);
}

function whyNot(hostname: string, port: number, cause: unknown): string {
  const isTaken = cause instanceof Deno.errors.AddrInUse ||
    (cause as { code?: unknown } | undefined)?.code === "EADDRINUSE";
  const why = isTaken ? "the port is taken" : cause instanceof Error ? cause.message : String(cause);
  return `Cannot serve gRPC on ${hostname} port ${port}: ${why}`;
}
