/** Call in the server: reassembles requests, runs the handler, sends its responses. */
import type { Call, Method, StreamMethod, UnaryMethod } from "./call.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";
import { encodeDetails } from "./error_details.ts";
import type { HeaderList } from "./hpack/mod.ts";
import type { Peer } from "./http2/byte_stream.ts";
import type { Http2Stream, StreamListener } from "./http2/stream.ts";
import { MessageQueue } from "./message_queue.ts";
import { copyBytes } from "./byte_pool.ts";
import { MessageReader, prefixOf } from "./messages.ts";
import { encodeMessage, type Metadata } from "./metadata.ts";
import type { GrpcRequest } from "./request.ts";
import { GrpcError, STATUS } from "./status.ts";

/** State that the calls of one connection share. */
export interface CallSurroundings {
  peer: Peer;
  deadlines: Deadlines;
  /** Of one message. */
  messageBytes: number;
  /** Turns what a handler threw into the error that the caller sees. */
  toGrpcError(error: unknown, path: string): GrpcError;
  errorDomain: string | undefined;
  authenticated(): void;
  /** Ends the connection after an error that only this program explains. */
  onDefect(error: unknown): void;
  /** Counts bytes of messages of the connection that no handler has taken yet; false when there are too many. */
  hold(bytes: number): boolean;
  /** Charges a message of a streaming call. @throws {ConnectionError} the peer sends too many */
  chargeMessage(): void;
  /** Called once the call is answered or gone, and its handler has ended. */
  onEnd(): void;
}

const RESPONSE_HEADERS: HeaderList = [":status", "200", "content-type", "application/grpc"];
const OK_TRAILERS: HeaderList = ["grpc-status", "0"];
const PREFIX_BYTES = 5;
/** Made once: a client can cancel many calls, and a stack trace for each is dear. */
const CANCELLED = new GrpcError("CANCELLED", "The caller no longer waits");
const EXPIRED = new GrpcError("DEADLINE_EXCEEDED", "The deadline has passed");

export class ServerCall implements Call, Deadline, StreamListener {
  readonly path: string;
  readonly metadata: Metadata;
  readonly at: number;
  readonly #stream: Http2Stream;
  readonly #surroundings: CallSurroundings;
  readonly #method: Method;
  readonly #encoding: GrpcRequest["encoding"];
  readonly #timeoutMs: number | undefined;
  readonly #startedAt: number;
  #reader: MessageReader | undefined;
  /** Bytes of the frame that is being read and that belong to no complete message. */
  #credit = 0;
  #held = 0;
  #request: Uint8Array | undefined;
  #requests: MessageQueue | undefined;
  #headers: string[] | undefined;
  #trailers: string[] | undefined;
  #hasSentHeaders = false;
  /** Answered, canceled, or past its deadline: nothing more is sent. */
  #isOver = false;
  #isSettled = false;
  #aborting: AbortController | undefined;
  #drained: PromiseWithResolvers<void> | undefined;

  /** @param method of the request, which has one */
  constructor(stream: Http2Stream, request: GrpcRequest, method: Method, surroundings: CallSurroundings) {
    this.#stream = stream;
    this.#surroundings = surroundings;
    this.#method = method;
    this.#encoding = request.encoding;
    this.path = request.path;
    this.metadata = request.metadata;
    this.#timeoutMs = request.timeoutMs;
    this.#startedAt = Date.now();
    this.at = request.timeoutMs === undefined ? Infinity : performance.now() + request.timeoutMs;
    if (request.timeoutMs !== undefined) surroundings.deadlines.add(this);
  }

  get peer(): Peer {
    return this.#surroundings.peer;
  }

  get deadline(): number | undefined {
    return this.#timeoutMs === undefined ? undefined : this.#startedAt + this.#timeoutMs;
  }

  get isWanted(): boolean {
    return !this.#isOver && (this.#timeoutMs === undefined || performance.now() < this.at);
  }

  get signal(): AbortSignal {
    if (!this.#aborting) {
      this.#aborting = new AbortController();
      if (this.#isOver) this.#aborting.abort(CANCELLED);
    }
    return this.#aborting.signal;
  }

  setHeader(name: string, value: string): void {
    (this.#headers ??= []).push(name, value);
  }

  setTrailer(name: string, value: string): void {
    (this.#trailers ??= []).push(name, value);
  }

  authenticated(): void {
    this.#surroundings.authenticated();
  }

  /** Begins to take the request. @param isEmpty whether it has ended with its headers */
  begin(isEmpty: boolean): void {
    if (!this.isWanted) return this.expire();
    if (this.#method.kind === "stream") this.#runStream(this.#method);
    if (isEmpty) this.#requestEnded();
  }

  // --- from the connection

  onData(bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    if (endStream && !this.#reader && this.#method.kind === "unary") {
      const whole = wholeMessage(bytes, start, end, this.#surroundings.messageBytes);
      if (whole) {
        this.#stream.release(end - start);
        return this.#requestEnded(whole);
      }
    }
    this.#takeData(bytes, start, end);
    if (endStream) this.#requestEnded();
  }

  onHeaders(): void {
    this.#requestEnded(); // trailers of a request say nothing that is of use here
  }

  onReset(): void {
    this.#over();
    this.#requests?.fail(CANCELLED);
    this.#drained?.resolve();
    if (!this.#stream.handled) this.#settle();
  }

  onDrained(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /** The deadline has passed. */
  expire(): void {
    try {
      this.fail(EXPIRED);
    } catch (defect) {
      this.#surroundings.onDefect(defect);
    }
  }

  /** Ends the call with an error, unless it has ended. */
  fail(error: GrpcError, headers: HeaderList = []): void {
    if (this.#isOver) return;
    const trailers = [
      ...(this.#hasSentHeaders ? [] : [...RESPONSE_HEADERS, ...headers, ...this.#headers ?? []]),
      "grpc-status",
      String(STATUS[error.status]),
      ...(error.message === "" ? [] : ["grpc-message", encodeMessage(error.message)]),
      ...encodeDetails(error, this.#surroundings.errorDomain),
      ...this.#trailers ?? [],
    ];
    this.#over();
    this.#requests?.fail(error);
    const { handled } = this.#stream;
    this.#stream.sendHeaders(trailers, true);
    if (!handled) this.#settle();
  }

  // --- requests

  #takeData(bytes: Uint8Array, start: number, end: number): void {
    if (this.#isOver) return this.#stream.release(end - start);
    this.#credit = end - start;
    const reader = this.#reader ??= this.#createReader();
    try {
      reader.push(bytes, start, end);
      if (!this.#hold(reader.held + (this.#request?.length ?? 0) + (this.#requests?.bytes ?? 0))) {
        throw new GrpcError("RESOURCE_EXHAUSTED", "Too many messages arrive at once");
      }
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      this.fail(error);
    }
    if (this.#requests) this.#requests.returnLater(this.#credit);
    else this.#stream.release(this.#credit);
  }

  #createReader(): MessageReader {
    const reader: MessageReader = new MessageReader(
      this.#surroundings,
      this.#encoding,
      (message, isCompressed) => {
        if (this.#requests) {
          this.#surroundings.chargeMessage();
          const own = Math.min(this.#credit, message.length + PREFIX_BYTES);
          this.#credit -= own;
          return this.#requests.push(message, own, isCompressed ? unpack : undefined);
        }
        if (this.#request) {
          throw new GrpcError("UNIMPLEMENTED", "The method takes one message, not several");
        }
        this.#request = isCompressed ? unpack(message) : message;
      },
    );
    const unpack = (message: Uint8Array) => reader.unpack(message);
    return reader;
  }

  /** Whether the connection has room for as many bytes of messages of this call. */
  #hold(bytes: number): boolean {
    const more = bytes - this.#held;
    this.#held = bytes;
    return this.#surroundings.hold(more);
  }

  #taken(credit: number): void {
    this.#stream.release(credit);
    if (!this.#isOver) this.#hold((this.#reader?.held ?? 0) + this.#requests!.bytes);
  }

  #requestEnded(request = this.#request): void {
    if (this.#isOver) return;
    if (this.#reader && !this.#reader.isComplete) {
      return this.fail(new GrpcError("INTERNAL", "Cannot read the message: it breaks off"));
    }
    if (this.#method.kind === "stream") return this.#requests!.close();
    if (!request) {
      return this.fail(new GrpcError("UNIMPLEMENTED", "The method takes one message, not none"));
    }
    if (!this.isWanted) return this.expire();
    if (this.#held > 0) this.#hold(0);
    this.#runUnary(this.#method, request);
  }

  // --- handlers

  #runUnary(method: UnaryMethod, request: Uint8Array): void {
    this.#stream.handled = true;
    let response;
    try {
      response = method.handle(request, this);
      if (!(response instanceof Uint8Array)) return void response.then(this.#answer, this.#failed);
    } catch (error) {
      return this.#failed(error);
    }
    this.#answer(response);
  }

  readonly #answer = (response: Uint8Array): void => {
    try {
      if (!this.#isOver) {
        this.#sendMessage(response);
        this.#finish();
      }
    } catch (error) {
      return this.#failed(error);
    }
    this.#handlerEnded();
  };

  readonly #failed = (error: unknown): void => {
    try {
      // Work that is given up because the deadline has passed must not look like an outage.
      if (performance.now() >= this.at) this.expire();
      if (!this.#isOver) this.fail(this.#surroundings.toGrpcError(error, this.path));
    } catch (defect) {
      this.#surroundings.onDefect(defect);
    }
    this.#handlerEnded();
  };

  #runStream(method: StreamMethod): void {
    this.#stream.handled = true;
    this.#stream.requestDue = Infinity;
    this.#requests = new MessageQueue((credit) => this.#taken(credit));
    this.#sendResponses(method, this.#requests).then(() => this.#handlerEnded(), this.#failed);
  }

  async #sendResponses(method: StreamMethod, requests: MessageQueue): Promise<void> {
    for await (const response of method.handle(requests, this)) {
      if (this.#isOver) return;
      this.#sendMessage(response);
      if (this.#stream.blocked.length > 0) await (this.#drained = Promise.withResolvers()).promise;
      if (this.#isOver) return;
    }
    if (!this.#isOver) this.#finish();
  }

  #handlerEnded(): void {
    this.#stream.ended();
    this.#settle();
  }

  #settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#surroundings.onEnd();
  }

  // --- responses

  #sendMessage(message: Uint8Array): void {
    if (!this.#hasSentHeaders) {
      this.#stream.sendHeaders(
        this.#headers ? [...RESPONSE_HEADERS, ...this.#headers] : RESPONSE_HEADERS,
        false,
      );
      this.#hasSentHeaders = true;
    }
    this.#stream.sendData(message, false, prefixOf(message));
  }

  #finish(): void {
    this.#over();
    const own = this.#hasSentHeaders ? [] : [...RESPONSE_HEADERS, ...this.#headers ?? []];
    const trailers = own.length === 0 && !this.#trailers
      ? OK_TRAILERS
      : [...own, ...OK_TRAILERS, ...this.#trailers ?? []];
    try {
      this.#stream.sendHeaders(trailers, true);
    } catch (defect) {
      this.#surroundings.onDefect(defect);
    }
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#timeoutMs !== undefined) this.#surroundings.deadlines.delete(this);
    if (this.#held > 0) this.#hold(0);
    this.#requests?.returnCredit();
    this.#drained?.resolve();
    this.#aborting?.abort(CANCELLED);
  }
}

/** The message of a frame that holds exactly one, uncompressed; a copy. */
function wholeMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  limit: number,
): Uint8Array | undefined {
  const length = end - start - PREFIX_BYTES;
  if (length < 0 || length > limit || bytes[start] !== 0) return undefined;
  const announced = bytes[start + 1]! << 24 | bytes[start + 2]! << 16 | bytes[start + 3]! << 8 |
    bytes[start + 4]!;
  return announced === length ? copyBytes(bytes, start + PREFIX_BYTES, end) : undefined;
}

/** A request that is not a gRPC call: answered in HTTP once it has ended. */
export class PlainAnswer implements StreamListener {
  readonly #stream: Http2Stream;
  readonly #status: number;
  readonly #text: string;

  constructor(stream: Http2Stream, { status, text }: { status: number; text: string }) {
    this.#stream = stream;
    this.#status = status;
    this.#text = text;
  }

  answer(): void {
    const body = new TextEncoder().encode(this.#text);
    this.#stream.sendHeaders([
      ":status",
      String(this.#status),
      "content-type",
      "text/plain; charset=utf-8",
      "content-length",
      String(body.length),
    ], false);
    this.#stream.sendData(body, true);
  }

  onData(_bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    this.#stream.release(end - start);
    if (endStream) this.answer();
  }

  onHeaders(): void {
    this.answer();
  }

  onReset(): void {}
}
