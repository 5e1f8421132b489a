/** gRPC server: a port, its connections, and the methods that answer their calls. */
import { Admission, type AdmissionLimits } from "./admission.ts";
import type { Method, Methods } from "./call.ts";
import { Deadlines } from "./deadlines.ts";
import type { HeaderList } from "./hpack/mod.ts";
import type { ByteStream, Peer } from "./http2/byte_stream.ts";
import { Http2Connection } from "./http2/connection.ts";
import type { RequestHead } from "./http2/header_rules.ts";
import { CONNECTION_LIMITS, type ConnectionLimits } from "./http2/limits.ts";
import type { Http2Stream } from "./http2/stream.ts";
import { listen, type Pending, type TlsOptions } from "./listener.ts";
import { type GrpcRequest, type HttpRefusal, readRequest } from "./request.ts";
import { type CallSurroundings, PlainAnswer, ServerCall } from "./server_call.ts";
import { GrpcError } from "./status.ts";

export interface ServeOptions {
  /** Address to listen on, "127.0.0.1". */
  hostname: string;
  /** 0 takes a free one. */
  port: number;
  /** Whether other processes may listen on the port too. */
  reusePort?: boolean | undefined;
  /** Absent: plain text. */
  tls?: TlsOptions | undefined;
  methods: Methods;
  /** Largest message, compressed and not, in bytes. */
  messageBytes?: number | undefined;
  limits?: Partial<ConnectionLimits & AdmissionLimits> | undefined;
  /** Turns what a handler threw into what the caller sees; by default INTERNAL without a detail, or the GrpcError itself. */
  toGrpcError?(error: unknown, path: string): GrpcError;
  /**
   * Domain of the `google.rpc.ErrorInfo` of errors that have none of their own; its reason is the status. Absent: they
   * are sent without one.
   */
  errorDomain?: string | undefined;
  /** Hears of what is not a client's doing: a failed accept(), an error of this server. */
  onEvent?(event: ServerEvent): void;
}

export type ServerEvent =
  /** Accepting failed and is tried again; the connection was ended after an error of this program. */
  | { type: "accept_failed" | "defect"; error: unknown }
  | { type: "accept_recovered" }
  /** Connections are refused, for want of room or because an address opens too many; at most once a minute. */
  | { type: "refused"; refused: number; connections: number };

export interface GrpcServer {
  port: number;
  /**
   * Accepts nothing more, lets calls under way finish, and ends what is left after the limit. A client without calls
   * that does not leave is waited for `leaveMs`.
   */
  close(limitMs?: number): Promise<void>;
  /** Connections and calls at this moment. */
  readonly load: { connections: number; calls: number };
}

const MESSAGE_BYTES = 4 * 1024 * 1024;
const CLOSE_LIMIT_MS = 10_000;
/** Time for clients without calls to leave after GOAWAY. */
const LEAVE_MS = 1_000;
const CLOSE_LOOK_MS = 50;
const REPORT_REFUSED_MS = 60_000;
/** Bytes of messages without a handler yet that a connection may hold, in addition to one whole message. */
const HELD_BYTES = 65_536;
const HELD_BYTES_KNOWN = 1_048_576;

/** @throws {ListenError} the port cannot be listened on */
export async function serve(options: ServeOptions): Promise<GrpcServer> {
  const server = new Server(options);
  const { hostname, port, reusePort, tls } = options;
  const { firstRequestMs: handshakeMs, tickMs } = { ...CONNECTION_LIMITS, ...options.limits };
  const listener = await listen({ hostname, port, reusePort, tls, handshakeMs }, server);
  const ticking = setInterval(() => server.tick(), tickMs);
  let closing: Promise<void> | undefined;
  return {
    port: listener.port,
    get load() {
      return server.load;
    },
    close: (limitMs = CLOSE_LIMIT_MS) =>
      closing ??= (async () => {
        const closed = listener.close();
        await server.drain(limitMs);
        await closed;
        clearInterval(ticking);
        server.dispose();
      })(),
  };
}

class Server {
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #messageBytes: number;
  readonly #limits: Partial<ConnectionLimits & AdmissionLimits>;
  readonly #admission: Admission;
  readonly #deadlines = new Deadlines();
  readonly #connections = new Set<Http2Connection>();
  readonly #onEvent: NonNullable<ServeOptions["onEvent"]>;
  readonly #toGrpcError: NonNullable<ServeOptions["toGrpcError"]>;
  readonly #errorDomain: string | undefined;
  #calls = 0;
  #quietSince = performance.now();
  #refused = 0;
  #refusedReportedAt = -Infinity;

  constructor({ methods, messageBytes, limits, onEvent, toGrpcError, errorDomain }: ServeOptions) {
    this.#methods = new Map(Object.entries(methods));
    this.#messageBytes = messageBytes ?? MESSAGE_BYTES;
    this.#limits = limits ?? {};
    this.#admission = new Admission(limits);
    this.#onEvent = (event) => {
      try {
        onEvent?.(event);
      } catch { /* a log that fails must not end what it is about */ }
    };
    this.#toGrpcError = toGrpcError ?? defaultError;
    this.#errorDomain = errorDomain;
  }

  get load() {
    return { connections: this.#admission.connections, calls: this.#calls };
  }

  // --- from the listener

  admit(address: string, close: () => void): Pending | undefined {
    const admitted = this.#admission.admit(address, close);
    if (!admitted) {
      this.#reportRefused();
      return undefined;
    }
    return {
      ready: (stream, peer) => this.#serve(stream, peer, admitted),
      ended: () => admitted.ended(),
    };
  }

  onTrouble(error: unknown): void {
    this.#onEvent({ type: "accept_failed", error });
  }

  onRecovery(): void {
    this.#onEvent({ type: "accept_recovered" });
  }

  #reportRefused(): void {
    this.#refused++;
    const now = performance.now();
    if (now - this.#refusedReportedAt < REPORT_REFUSED_MS) return;
    this.#onEvent({ type: "refused", refused: this.#refused, connections: this.#admission.connections });
    this.#refused = 0;
    this.#refusedReportedAt = now;
  }

  // --- connections

  tick(): void {
    const now = performance.now();
    for (const connection of this.#connections) {
      try {
        connection.tick(now);
      } catch (error) {
        this.#end(connection, error);
      }
    }
  }

  #end(connection: Http2Connection, defect: unknown): void {
    this.#onEvent({ type: "defect", error: defect });
    connection.close();
  }

  dispose(): void {
    this.#deadlines[Symbol.dispose]();
  }

  async drain(limitMs: number): Promise<void> {
    for (const connection of this.#connections) connection.shutdown();
    const since = performance.now();
    while (this.#connections.size > 0) {
      const now = performance.now();
      const quietMs = this.#calls > 0 ? 0 : Math.min(now - this.#quietSince, now - since);
      if (now - since >= limitMs || quietMs > LEAVE_MS) {
        for (const connection of this.#connections) connection.close();
        return;
      }
      this.tick();
      await new Promise((resolve) => setTimeout(resolve, CLOSE_LOOK_MS));
    }
  }

  #serve(stream: ByteStream, peer: Peer, admitted: { authenticated(): void; ended(): void }): void {
    let held = 0;
    let lastHead: RequestHead | undefined;
    let lastRequest: GrpcRequest | HttpRefusal | undefined;
    const surroundings: CallSurroundings = {
      peer,
      deadlines: this.#deadlines,
      messageBytes: this.#messageBytes,
      toGrpcError: this.#toGrpcError,
      errorDomain: this.#errorDomain,
      authenticated() {
        admitted.authenticated();
        connection.authenticated();
      },
      onDefect: (error) => connection.defect(error),
      hold: (bytes) => {
        held += bytes;
        return held <= this.#messageBytes + (connection.isKnown ? HELD_BYTES_KNOWN : HELD_BYTES);
      },
      chargeMessage: () => connection.chargeMessage(),
      onEnd: () => {
        if (--this.#calls === 0) this.#quietSince = performance.now();
      },
    };
    const onRequest = (on: Http2Stream, head: RequestHead, list: HeaderList, isEmpty: boolean) => {
      if (head !== lastHead) {
        lastHead = head;
        lastRequest = readRequest(head, list, this.#methods);
      }
      const request = lastRequest!;
      if ("status" in request) {
        const plain = on.listener = new PlainAnswer(on, request);
        if (isEmpty) plain.answer();
        return;
      }
      this.#calls++;
      const { method } = request;
      if (method instanceof GrpcError) {
        const call = on.listener = new ServerCall(on, request, UNREACHABLE, surroundings);
        return call.fail(method, request.headers);
      }
      const call = on.listener = new ServerCall(on, request, method, surroundings);
      call.begin(isEmpty);
    };
    const connection = new Http2Connection(stream, {
      role: "server",
      limits: this.#limits,
      onRequest,
      onClose: () => {
        this.#connections.delete(connection);
        admitted.ended();
      },
      onDefect: (error) => this.#onEvent({ type: "defect", error }),
    });
    this.#connections.add(connection);
    void connection.run();
  }
}

const UNREACHABLE: Method = {
  kind: "unary",
  handle() {
    throw new GrpcError("UNIMPLEMENTED", "");
  },
};

function defaultError(error: unknown): GrpcError {
  return error instanceof GrpcError ? error : new GrpcError("INTERNAL", "Internal error");
}
