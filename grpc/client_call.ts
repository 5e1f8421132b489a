/** Call in the client: sends requests, reassembles responses, reads the status. */
import type { Deadline } from "./deadlines.ts";
import { decodeDetails } from "./error_details.ts";
import type { HeaderList } from "./hpack/mod.ts";
import { CODE, type Code } from "./http2/protocol.ts";
import type { Http2Stream, StreamListener } from "./http2/stream.ts";
import { MessageQueue } from "./message_queue.ts";
import { type Encoding, isEncoding, MessageReader, prefixOf } from "./messages.ts";
import { decodeMessage, Metadata } from "./metadata.ts";
import { GrpcError, type StatusName, statusName } from "./status.ts";

/** The server, or what stands before it, answered with something that is not gRPC. */
export class NotGrpcError extends GrpcError {
  override name = "NotGrpcError";
}

export interface ClientCallOptions {
  messageBytes: number;
  /** Monotonic milliseconds. */
  at: number;
  /** Reason for the loss of the connection; undefined while it is there. */
  lost(): GrpcError | undefined;
  onEnd(): void;
}

const PREFIX_BYTES = 5;

export class ClientCall implements StreamListener, Deadline {
  readonly at: number;
  /** Response messages; throws the GrpcError that the call ends with. */
  readonly messages: MessageQueue;
  /** Response headers; undefined until they have arrived, and in a response that has trailers only. */
  headers: Metadata | undefined;
  trailers: Metadata | undefined;
  /** Whether the server never saw the call, so that it can be sent again. */
  isRefused = false;
  readonly #options: ClientCallOptions;
  #stream: Http2Stream | undefined;
  #reader: MessageReader | undefined;
  #credit = 0;
  #isOver = false;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(options: ClientCallOptions) {
    this.#options = options;
    this.at = options.at;
    this.messages = new MessageQueue(
      (credit) => this.#stream?.release(credit),
      () => this.cancel(),
    );
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  opened(stream: Http2Stream): void {
    this.#stream = stream;
  }

  /** Sends every request, then ends the own side. */
  async send(requests: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    try {
      for await (const request of requests) {
        if (this.#isOver) return;
        this.#stream!.sendData(request, false, prefixOf(request));
        if (this.#stream!.blocked.length > 0) await (this.#drained = Promise.withResolvers()).promise;
      }
      if (!this.#isOver) this.#stream!.sendData(new Uint8Array(0), true);
    } catch (error) {
      this.#end(error);
      this.#stream?.reset(CODE.CANCEL);
    }
  }

  /** Sends the only request. */
  sendOne(request: Uint8Array): void {
    this.#stream!.sendData(request, true, prefixOf(request));
  }

  cancel(): void {
    this.fail(new GrpcError("CANCELLED", "The call was canceled"));
  }

  expire(): void {
    this.fail(new GrpcError("DEADLINE_EXCEEDED", "The deadline has passed"));
  }

  /** Ends the call from this side. */
  fail(error: GrpcError): void {
    if (this.#isOver) return;
    this.#end(error);
    this.#stream?.reset(CODE.CANCEL);
  }

  // --- from the connection

  onHeaders(list: HeaderList, endStream: boolean): void {
    this.#takeHeaders(list, endStream);
    // The server has answered early: it reads no more requests, and the stream would stay open.
    if (endStream && !this.#stream!.localEnded) this.#stream!.reset(CODE.NO_ERROR);
  }

  #takeHeaders(list: HeaderList, endStream: boolean): void {
    if (this.headers || this.#isOver) return endStream ? this.#readStatus(list) : undefined;
    const headers = new Metadata(list);
    const isGrpc = headers.get("content-type")?.startsWith("application/grpc") ?? false;
    const status = headers.get(":status");
    if (status !== "200" || !isGrpc) {
      return this.fail(new NotGrpcError(HTTP_STATUSES[status ?? ""] ?? "UNKNOWN", `HTTP status ${status}`));
    }
    if (endStream) return this.#readStatus(list);
    const encoding = headers.get("grpc-encoding") ?? "identity";
    if (encoding !== "identity" && !isEncoding(encoding)) {
      return this.fail(new GrpcError("INTERNAL", "The response has an unknown grpc-encoding"));
    }
    this.headers = headers;
    this.#reader = this.#createReader(encoding === "identity" ? undefined : encoding as Encoding);
  }

  onData(bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    if (this.#isOver || !this.#reader) return this.#stream?.release(end - start);
    this.#credit = end - start;
    try {
      this.#reader.push(bytes, start, end);
    } catch (error) {
      this.fail(error as GrpcError);
    }
    this.messages.returnLater(this.#credit);
    if (endStream) this.fail(new GrpcError("INTERNAL", "The response has ended without a status"));
  }

  onReset(code: Code): void {
    if (this.#isOver) return;
    this.isRefused = code === CODE.REFUSED_STREAM;
    this.#end(
      this.#options.lost() ?? new GrpcError(RESETS[code] ?? "INTERNAL", "The server has reset the call"),
    );
  }

  onDrained(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #createReader(encoding: Encoding | undefined): MessageReader {
    const reader: MessageReader = new MessageReader(this.#options, encoding, (message, isCompressed) => {
      const own = Math.min(this.#credit, message.length + PREFIX_BYTES);
      this.#credit -= own;
      this.messages.push(message, own, isCompressed ? unpack : undefined);
    });
    const unpack = (message: Uint8Array) => reader.unpack(message);
    return reader;
  }

  #readStatus(list: HeaderList): void {
    if (this.#isOver) return;
    const trailers = this.trailers = new Metadata(list);
    const code = trailers.get("grpc-status");
    if (code === "0") return this.#end(undefined);
    if (code === undefined || !/^\d{1,3}$/.test(code)) {
      return this.#end(new NotGrpcError("UNKNOWN", "The response has no grpc-status"));
    }
    const details = trailers.getBinary("grpc-status-details-bin")?.[0];
    const message = decodeMessage(trailers.get("grpc-message") ?? "");
    this.#end(new GrpcError(statusName(Number(code)), message, details && decodeDetails(details)));
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#drained?.resolve();
    if (error === undefined) this.messages.close();
    else this.messages.fail(error);
    this.#options.onEnd();
  }
}

/** Status that corresponds to an HTTP status where gRPC was expected. */
const HTTP_STATUSES: Record<string, StatusName> = {
  "400": "INTERNAL",
  "401": "UNAUTHENTICATED",
  "403": "PERMISSION_DENIED",
  "404": "UNIMPLEMENTED",
  "429": "UNAVAILABLE",
  "502": "UNAVAILABLE",
  "503": "UNAVAILABLE",
  "504": "UNAVAILABLE",
};

const RESETS: Partial<Record<Code, StatusName>> = {
  [CODE.REFUSED_STREAM]: "UNAVAILABLE",
  [CODE.CANCEL]: "CANCELLED",
  [CODE.ENHANCE_YOUR_CALM]: "RESOURCE_EXHAUSTED",
  [CODE.INADEQUATE_SECURITY]: "PERMISSION_DENIED",
};
