/** One HTTP/2 stream: state, windows, and what waits to be sent. The connection owns it and does the work. */
import type { HeaderList } from "../hpack/mod.ts";
import { CODE, type Code } from "./protocol.ts";

/** Listener of a stream: the layer above. No callback follows `onReset`. */
export interface StreamListener {
  /** Response headers, or trailers of either side. */
  onHeaders(list: HeaderList, endStream: boolean): void;
  /** `bytes[start, end)` is valid only during the call. The listener returns the credit with `stream.release`. */
  onData(bytes: Uint8Array, start: number, end: number, endStream: boolean): void;
  /** The stream ended early: by the peer, by us after a violation, or with the connection. */
  onReset(code: Code): void;
  /** Called when everything that waited for the peer's windows was sent. */
  onDrained?(): void;
}

/** Work of a connection on behalf of its streams. */
export interface StreamOwner {
  sendHeaders(stream: Http2Stream, list: HeaderList, endStream: boolean): void;
  sendData(stream: Http2Stream, bytes: Uint8Array, endStream: boolean, prefix: Uint8Array): void;
  resetStream(stream: Http2Stream, code: Code): void;
  release(stream: Http2Stream, bytes: number): void;
  handlerEnded(stream: Http2Stream): void;
}

/** Bytes that wait for a window. */
interface Blocked {
  bytes: Uint8Array;
  at: number;
  endStream: boolean;
  /** Sent in place of bytes. */
  trailers: HeaderList | undefined;
}

const NO_BYTES = new Uint8Array(0);

export class Http2Stream {
  listener!: StreamListener;
  remoteEnded = false;
  localEnded = false;
  /** Gone from the connection: ended on both sides, or reset. */
  closed = false;
  /** Whether something above still works for it, although it may be closed. */
  handled = false;
  sendWindow: number;
  receiveWindow: number;
  /** Credit that the layer above has returned and that was not sent to the peer yet. */
  credit = 0;
  /** Whether response headers have arrived; clients only. */
  hasHeaders = false;
  /** Monotonic time by which the whole request has to be there; the layer above moves it. */
  requestDue = Infinity;
  /** Declared length that has not arrived yet; undefined when none was declared. */
  expected: number | undefined;
  readonly blocked: Blocked[] = [];
  /** Time of the last progress while something is blocked, or of its beginning; monotonic milliseconds. */
  progressAt: number;

  constructor(
    readonly id: number,
    readonly owner: StreamOwner,
    windows: { send: number; receive: number },
    now: number,
  ) {
    this.sendWindow = windows.send;
    this.receiveWindow = windows.receive;
    this.progressAt = now;
  }

  sendHeaders(list: HeaderList, endStream: boolean): void {
    if (!this.closed && !this.localEnded) this.owner.sendHeaders(this, list, endStream);
  }

  /**
   * Sends what the windows allow and keeps the rest; `bytes` then belongs to the stream.
   *
   * @param prefix sent before `bytes`; belongs to the caller
   */
  sendData(bytes: Uint8Array, endStream: boolean, prefix: Uint8Array = NO_BYTES): void {
    if (!this.closed && !this.localEnded) this.owner.sendData(this, bytes, endStream, prefix);
  }

  reset(code: Code = CODE.CANCEL): void {
    if (!this.closed) this.owner.resetStream(this, code);
  }

  /** Lets the peer send as many bytes more. */
  release(bytes: number): void {
    if (bytes > 0) this.owner.release(this, bytes);
  }

  /** Frees the place of a stream that was taken with `handled`. */
  ended(): void {
    if (!this.handled) return;
    this.handled = false;
    this.owner.handlerEnded(this);
  }
}
