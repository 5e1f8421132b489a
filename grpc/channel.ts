/** gRPC client: calls to one server, over connections that open and close on demand. */
import { ClientCall, NotGrpcError } from "./client_call.ts";
import { Deadlines } from "./deadlines.ts";
import type { ByteStream } from "./http2/byte_stream.ts";
import { Http2Connection } from "./http2/connection.ts";
import type { HeaderList } from "./hpack/mod.ts";
import type { ConnectionLimits } from "./http2/limits.ts";
import type { Metadata } from "./metadata.ts";
import { GrpcError } from "./status.ts";
import { formatTimeout } from "./timeout.ts";

export interface ChannelOptions {
  /** For `https:` servers, PEM: the authorities to trust in place of the usual ones, and what to show of ourselves. */
  tls?: { ca?: string | undefined; certificate?: string; key?: string } | undefined;
  /** Largest response message, compressed and not, in bytes. */
  messageBytes?: number;
  /** Bounds of a connection that differ from the usual ones. */
  limits?: Partial<ConnectionLimits>;
}

export interface CallOptions {
  /** Names and values in turn; names in lower case, values ASCII, base64 for names that end with `-bin`. */
  metadata?: HeaderList;
  /** Sent to the server as well; absent: waits without end. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Hears of the response headers and trailers. */
  onResponse?(response: { headers: Metadata | undefined; trailers: Metadata | undefined }): void;
}

export type Requests = Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

const MESSAGE_BYTES = 4 * 1024 * 1024;
const CONNECT_MS = 10_000;
/** A connection without calls is closed after this time: before load balancers drop it silently. */
const IDLE_MS = 4 * 60_000;

/** Timers with a longer delay fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A connection and the time since which nothing is under way on it. */
interface Link {
  connection: Http2Connection;
  calls: number;
  idleSince: number;
}

export class Channel implements Disposable {
  readonly #url: URL;
  readonly #options: ChannelOptions;
  readonly #deadlines = new Deadlines();
  readonly #links = new Set<Link>();
  readonly #calls = new Set<ClientCall>();
  #dialing: Promise<Link> | undefined;
  /** The connection that waits for the SETTINGS of the server. */
  #connecting: Http2Connection | undefined;
  #ticking: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;

  /** Connects at the first call. @param url `http:` without encryption, `https:` over TLS; its path is not used */
  constructor(url: URL, options: ChannelOptions = {}) {
    this.#url = url;
    this.#options = options;
  }

  /**
   * Calls a method with one request and one response.
   *
   * @throws {GrpcError} any status but OK; UNAVAILABLE when the server cannot be reached
   */
  async unary(path: string, request: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    let response: Uint8Array | undefined;
    for await (const message of this.stream(path, request, options)) {
      if (response) throw new GrpcError("UNIMPLEMENTED", "The response has several messages");
      response = message;
    }
    if (!response) throw new GrpcError("UNIMPLEMENTED", "The response has no message");
    return response;
  }

  /**
   * Calls a method and gives its responses as they arrive. A reader that pauses makes the server pause; leaving the
   * iteration early cancels the call.
   *
   * @throws {GrpcError} any status but OK, after the messages that came before it
   */
  async *stream(path: string, requests: Requests, options: CallOptions = {}): AsyncGenerator<Uint8Array> {
    const { timeoutMs, signal, onResponse } = options;
    const at = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
    for (let attempt = 1;; attempt++) {
      const call = await this.#begin(path, requests, { ...options, at });
      const cancel = () => call.cancel();
      signal?.addEventListener("abort", cancel);
      if (signal?.aborted) cancel();
      try {
        return yield* call.messages;
      } catch (error) {
        const isRepeatable = call.isRefused && attempt === 1 && requests instanceof Uint8Array;
        if (!isRepeatable) throw error;
      } finally {
        signal?.removeEventListener("abort", cancel);
        call.cancel();
        onResponse?.(call);
      }
    }
  }

  /** Cancels what is under way and closes every connection. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const call of this.#calls) call.cancel();
    for (const { connection } of this.#links) connection.close();
    this.#connecting?.close();
    clearInterval(this.#ticking);
    this.#deadlines[Symbol.dispose]();
  }

  async #begin(path: string, requests: Requests, { at, metadata, signal }: CallOptions & { at: number }) {
    let link = await this.#link(at, signal);
    // Other calls may have taken the room in the meantime.
    while (!link.connection.hasRoom) link = await this.#link(at, signal);
    link.calls++;
    const call = new ClientCall({
      messageBytes: this.#options.messageBytes ?? MESSAGE_BYTES,
      at,
      lost: () => link.connection.isLost ? lost(link.connection) : undefined,
      onEnd: () => {
        if (--link.calls === 0) link.idleSince = performance.now();
        this.#calls.delete(call);
        this.#deadlines.delete(call);
        // A server may disappear without closing the connection: a ping detects that.
        if (performance.now() >= at && link.connection.lastRead < startedAt) link.connection.probe();
      },
    });
    const startedAt = performance.now();
    this.#calls.add(call);
    if (at < Infinity) this.#deadlines.add(call);
    try {
      call.opened(link.connection.open(this.#headers(path, at, metadata), false, call));
    } catch (cause) {
      const error = new GrpcError("INTERNAL", "Cannot send the metadata: values must be ASCII", { cause });
      call.fail(error);
      throw error;
    }
    if (requests instanceof Uint8Array) call.sendOne(requests);
    else void call.send(requests);
    return call;
  }

  #headers(path: string, at: number, metadata: HeaderList = []): HeaderList {
    const timeout = at < Infinity ? ["grpc-timeout", formatTimeout(at - performance.now())] : [];
    return [
      ":method",
      "POST",
      ":scheme",
      this.#url.protocol === "https:" ? "https" : "http",
      ":path",
      path,
      ":authority",
      this.#url.host,
      "te",
      "trailers",
      "content-type",
      "application/grpc",
      ...timeout,
      ...metadata,
    ];
  }

  /** A connection with room for a call, or a new one whose room other calls have taken. */
  async #link(at: number, signal: AbortSignal | undefined): Promise<Link> {
    for (const link of this.#links) if (link.connection.hasRoom) return link;
    if (this.#isClosed) throw new GrpcError("CANCELLED", "The channel is closed");
    this.#dialing ??= this.#dial().finally(() => this.#dialing = undefined);
    const link = await inTime(this.#dialing, at, signal);
    if (link.connection.hasRoom || link.calls > 0) return link;
    throw new GrpcError("UNAVAILABLE", "The server takes no calls");
  }

  /** Connects, and waits for the SETTINGS of the server: they say how many calls it takes at a time. */
  async #dial(): Promise<Link> {
    const due = performance.now() + CONNECT_MS;
    const stream = await connect(this.#url, this.#options.tls);
    if (this.#isClosed) {
      stream.close();
      throw new GrpcError("CANCELLED", "The channel is closed");
    }
    const settings = Promise.withResolvers<void>();
    const connection = new Http2Connection(stream, {
      role: "client",
      ...(this.#options.limits && { limits: this.#options.limits }),
      onSettings: () => {
        this.#links.add(link);
        this.#ticking ??= setInterval(() => this.#tick(), connection.limits.tickMs);
        settings.resolve();
      },
      onClose: () => {
        settings.reject(lost(connection));
        this.#links.delete(link);
        if (this.#links.size > 0) return;
        clearInterval(this.#ticking);
        this.#ticking = undefined;
      },
    });
    const link: Link = { connection, calls: 0, idleSince: performance.now() };
    this.#connecting = connection;
    void connection.run();
    try {
      await inTime(settings.promise, due, undefined);
    } catch {
      connection.close();
      throw this.#isClosed ? new GrpcError("CANCELLED", "The channel is closed") : lost(connection);
    } finally {
      this.#connecting = undefined;
    }
    return link;
  }

  #tick(): void {
    const now = performance.now();
    for (const { connection, calls, idleSince } of this.#links) {
      connection.tick(now);
      if (calls === 0 && now - idleSince > IDLE_MS) connection.close();
    }
  }
}

function lost(connection: Http2Connection): GrpcError {
  return connection.hasSpoken
    ? new GrpcError("UNAVAILABLE", "The connection was lost")
    : new NotGrpcError("UNAVAILABLE", "The server does not speak HTTP/2");
}

async function connect(url: URL, tls: ChannelOptions["tls"]): Promise<ByteStream> {
  const isSecure = url.protocol === "https:";
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || (isSecure ? 443 : 80));
  const dialing = isSecure ? connectTls(hostname, port, tls) : Deno.connect({ hostname, port });
  let isLate = false;
  const closed = dialing.then((connection) => isLate ? connection.close() : undefined, () => {});
  try {
    const connection = await inTime(dialing, performance.now() + CONNECT_MS, undefined);
    if ("setNoDelay" in connection) connection.setNoDelay(true);
    return {
      read: (into) => connection.read(into),
      write: (bytes) => connection.write(bytes),
      closeWrite: () => connection.closeWrite(),
      close() {
        try {
          connection.close();
        } catch { /* it is closed */ }
      },
    };
  } catch (cause) {
    isLate = true;
    void closed;
    if (cause instanceof NotGrpcError) throw cause;
    throw new GrpcError("UNAVAILABLE", "Cannot connect to the server", { cause });
  }
}

async function connectTls(
  hostname: string,
  port: number,
  { ca, certificate, key }: NonNullable<ChannelOptions["tls"]> = {},
): Promise<Deno.TcpConn | Deno.TlsConn> {
  const connection = await Deno.connectTls({
    hostname,
    port,
    alpnProtocols: ["h2"],
    ...(ca === undefined ? {} : { caCerts: [ca] }),
    ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
  });
  try {
    const { alpnProtocol } = await connection.handshake();
    if (alpnProtocol !== "h2") throw new NotGrpcError("UNAVAILABLE", "The server does not speak HTTP/2");
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** @throws {GrpcError} DEADLINE_EXCEEDED or CANCELLED before `work` is done */
async function inTime<T>(work: Promise<T>, at: number, signal: AbortSignal | undefined): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const expire = () => reject(new GrpcError("DEADLINE_EXCEEDED", "The deadline has passed"));
  const cancel = () => reject(new GrpcError("CANCELLED", "The call was canceled"));
  const delay = Math.min(Math.max(0, at - performance.now()), MAX_TIMER_MS);
  const timer = at === Infinity ? undefined : setTimeout(expire, delay);
  signal?.addEventListener("abort", cancel);
  if (signal?.aborted) cancel();
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cancel);
  }
}
