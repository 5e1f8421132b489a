/**
 * The transport that the tests of this folder run against. A stand-in on grpc-js with the interface of the service's
 * own HTTP/2 server, until that one takes its place here.
 */
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import type { EventEmitter } from "node:events";

export interface Call {
  metadata: { get(name: string): string | undefined; getAll(name: string): string[] };
  /** Fires when the caller cancels, its deadline passes or its connection ends. */
  signal: AbortSignal;
  /** Epoch milliseconds. */
  deadline?: number;
  /** Before the first message. Values of names that end in -bin are base64, here and in `metadata`. */
  setHeader(name: string, value: string): void;
  setTrailer(name: string, value: string): void;
}

export type Method =
  | { kind: "unary"; handle(request: Uint8Array, call: Call): Uint8Array | Promise<Uint8Array> }
  | { kind: "stream"; handle(requests: AsyncIterable<Uint8Array>, call: Call): AsyncIterable<Uint8Array> };

export class GrpcError extends Error {
  override name = "GrpcError";
  constructor(public code: number, message: string) {
    super(message);
  }
}

export interface ServeOptions {
  hostname: string;
  /** 0 takes a free one. */
  port: number;
  /** PEM texts. */
  tls?: { certificate: string; key: string } | undefined;
  methods: Record<string, Method>;
  /** Of one message, after decompression. */
  maxMessageBytes?: number;
}

export interface Server {
  port: number;
  close(): Promise<void>;
}

export async function serve(
  { hostname, port, tls, methods, maxMessageBytes }: ServeOptions,
): Promise<Server> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": maxMessageBytes ?? 4 * 1024 * 1024,
    "grpc.max_concurrent_streams": 100,
  });
  for (const [path, method] of Object.entries(methods)) {
    const isStream = method.kind === "stream";
    const definition = { path, requestStream: isStream, responseStream: isStream, ...CODEC };
    const handler = method.kind === "stream" ? streaming(method.handle) : unary(method.handle);
    server.addService({ [path]: definition }, { [path]: handler });
  }
  const pair = tls && { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.certificate) };
  const credentials = pair
    ? grpc.ServerCredentials.createSsl(null, [pair])
    : grpc.ServerCredentials.createInsecure();
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(
      `${hostname}:${port}`,
      credentials,
      (error, port) => error ? reject(error) : resolve(port),
    )
  );
  return {
    port: bound,
    close() {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

const same = (bytes: Buffer) => bytes;
const CODEC = {
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};

type Handle<Kind> = Extract<Method, { kind: Kind }>["handle"];

function unary(handle: Handle<"unary">): grpc.handleUnaryCall<Buffer, Buffer> {
  return async (call, callback) => {
    const { context, header, trailer } = contextOf(call);
    try {
      const answer = await handle(call.request, context);
      call.sendMetadata(header);
      callback(null, Buffer.from(answer), trailer);
    } catch (error) {
      callback(statusOf(error), null, trailer);
    }
  };
}

function streaming(handle: Handle<"stream">): grpc.handleBidiStreamingCall<Buffer, Buffer> {
  return async (call) => {
    const { context, header, trailer } = contextOf(call);
    let begun = false;
    try {
      for await (const answer of handle(messagesOf(call), context)) {
        if (!begun) call.sendMetadata(header);
        begun = true;
        if (!call.write(Buffer.from(answer))) {
          await new Promise((resolve) =>
            ["drain", "cancelled"].forEach((event) => call.once(event, resolve))
          );
        }
        if (context.signal.aborted) return;
      }
      call.end(trailer);
    } catch (error) {
      call.emit("error", { ...statusOf(error), metadata: trailer });
    }
  };
}

/** The requests of a call; the iterator that grpc-js inherits from Node does not end here. */
async function* messagesOf(call: grpc.ServerDuplexStream<Buffer, Buffer>): AsyncGenerator<Uint8Array> {
  const queue: (Buffer | null)[] = [];
  let arrived = Promise.withResolvers<void>();
  const add = (message: Buffer | null) => {
    queue.push(message);
    arrived.resolve();
  };
  call.on("data", add);
  for (const end of ["end", "cancelled"]) (call as EventEmitter).once(end, () => add(null));
  for (;;) {
    if (queue.length === 0) await arrived.promise;
    arrived = Promise.withResolvers();
    for (const message of queue.splice(0)) {
      if (message === null) return;
      yield message;
    }
  }
}

type ServerCall = grpc.ServerUnaryCall<Buffer, Buffer> | grpc.ServerDuplexStream<Buffer, Buffer>;

function contextOf(call: ServerCall) {
  const [header, trailer] = [new grpc.Metadata(), new grpc.Metadata()];
  const aborting = new AbortController();
  (call as EventEmitter).once("cancelled", () => aborting.abort());
  const text = (value: grpc.MetadataValue) => typeof value === "string" ? value : value.toString("base64");
  const set = (metadata: grpc.Metadata) => (name: string, value: string) =>
    metadata.set(name, name.endsWith("-bin") ? Buffer.from(value, "base64") : value);
  const deadline = Number(call.getDeadline());
  const context: Call = {
    metadata: {
      get: (name) => call.metadata.get(name).map(text)[0],
      getAll: (name) => call.metadata.get(name).map(text),
    },
    signal: aborting.signal,
    ...(Number.isFinite(deadline) ? { deadline } : {}),
    setHeader: set(header),
    setTrailer: set(trailer),
  };
  return { context, header, trailer };
}

function statusOf(error: unknown) {
  return error instanceof GrpcError
    ? { code: error.code, details: error.message }
    : { code: grpc.status.UNKNOWN, details: "" };
}
