/** Call as its handler sees it, and the methods of a server. Messages are bytes. */
import type { Peer } from "./http2/byte_stream.ts";
import type { Metadata } from "./metadata.ts";

export interface Call {
  /** "/package.Service/Method". */
  readonly path: string;
  readonly metadata: Metadata;
  readonly peer: Peer;
  /** Time at which the caller stops waiting, milliseconds since 1970; undefined when it waits without end. */
  readonly deadline: number | undefined;
  /** Whether the caller still waits; cheaper than `signal`. */
  readonly isWanted: boolean;
  /** Aborts when the caller no longer waits: canceled, past its deadline, or the connection lost. */
  readonly signal: AbortSignal;
  /** Adds a response header; before the first message. @param value ASCII; base64 for a name that ends with `-bin` */
  setHeader(name: string, value: string): void;
  /** Adds a trailer. */
  setTrailer(name: string, value: string): void;
  /** The caller has proved who it is: its connection leaves the bounds for strangers. */
  authenticated(): void;
}

/** One request, one response. Throw a `GrpcError` for any status but OK. */
export interface UnaryMethod {
  kind: "unary";
  handle(request: Uint8Array, call: Call): Uint8Array | Promise<Uint8Array>;
}

/**
 * Any number of requests and responses. The next response is asked for once the one before has left, so that a slow
 * reader slows the handler down. `requests` ends when the caller has ended its side, or throws when it has gone.
 */
export interface StreamMethod {
  kind: "stream";
  handle(requests: AsyncIterable<Uint8Array>, call: Call): AsyncIterable<Uint8Array>;
}

export type Method = UnaryMethod | StreamMethod;
/** By path, "/package.Service/Method". */
export type Methods = Readonly<Record<string, Method>>;
