/** One HTTP/2 connection, of either role: frames in, frames out, streams in between (RFC 9113). */
import { type HeaderList, HpackDecoder, HpackEncoder, HpackError } from "../hpack/mod.ts";
import type { ByteStream } from "./byte_stream.ts";
import {
  BYTES_PER_EARNED_TOKEN,
  EARNED_BY_ANSWER,
  FloodGuard,
  KNOWN_FLOOD,
  PRICE,
  SMALL_DATA_BYTES,
  STRANGER_FLOOD,
} from "./flood.ts";
import { FrameReader, uint31, uint32 } from "./frame_reader.ts";
import {
  finishHeaders,
  putFrameHeader,
  putGoAway,
  putPing,
  putReset,
  putSettings,
  putSettingsAck,
  putWindowUpdate,
} from "./frame_writer.ts";
import { checkRequest, checkResponse, checkTrailers, type RequestHead } from "./header_rules.ts";
import { CONNECTION_LIMITS, type ConnectionLimits } from "./limits.ts";
import { Output } from "./output.ts";
import {
  CODE,
  type Code,
  ConnectionError,
  DEFAULT_FRAME_BYTES,
  DEFAULT_WINDOW,
  FLAG,
  FRAME,
  FRAME_HEADER_BYTES,
  MAX_FRAME_BYTES,
  MAX_WINDOW,
  PREFACE,
  SETTING,
  StreamViolation,
} from "./protocol.ts";
import { ENDED, type Ending, RecentStreams, RESET_BY_PEER, RESET_BY_US } from "./recent_streams.ts";
import { Http2Stream, type StreamOwner } from "./stream.ts";

export interface ConnectionOptions {
  role: "server" | "client";
  limits?: Partial<ConnectionLimits>;
  /** Takes a new stream of the peer and sets its listener; servers only. */
  onRequest?(stream: Http2Stream, head: RequestHead, list: HeaderList, endStream: boolean): void;
  /** Called once, when the first SETTINGS of the peer have arrived. */
  onSettings?(): void;
  /** Called once, when the connection takes no new streams any more; clients look for another one. */
  onGoAway?(): void;
  /** Called once, after every stream has ended. */
  onClose?(): void;
  /** Called for what only an error of this program explains; the connection ends. */
  onDefect?(error: unknown): void;
}

/** Bytes that a connection still reads after its last frame. */
const LINGER_BYTES = 1_048_576;
const SHUTDOWN_PING = new TextEncoder().encode("shutdown");
const KEEP_ALIVE_PING = new TextEncoder().encode("presence");

/** A header block whose CONTINUATION frames are still to come. */
interface OpenBlock {
  stream: number;
  endStream: boolean;
  dependsOnItself: boolean;
  bytes: Uint8Array[];
  length: number;
  frames: number;
  since: number;
}

export class Http2Connection implements StreamOwner {
  readonly limits: ConnectionLimits;
  readonly #role: "server" | "client";
  readonly #options: ConnectionOptions;
  readonly #socket: ByteStream;
  readonly #reader = new FrameReader(DEFAULT_FRAME_BYTES);
  readonly #output: Output;
  readonly #decoder: HpackDecoder;
  readonly #encoder = new HpackEncoder();
  readonly #streams = new Map<number, Http2Stream>();
  readonly #recent = new RecentStreams();
  readonly #blocked = new Set<Http2Stream>();
  readonly #flood: FloodGuard;
  /** Streams of the peer whose place is taken; see `Http2Stream.handled`. */
  #places = 0;
  #isKnown: boolean;
  #lastPeerStream = 0;
  #nextStream = 1;
  #sendWindow = DEFAULT_WINDOW;
  #receiveWindow: number;
  #credit = 0;
  #blockedBytes = 0;
  #peerWindow = DEFAULT_WINDOW;
  #peerFrameBytes = DEFAULT_FRAME_BYTES;
  #peerStreams = Infinity;
  #block: OpenBlock | undefined;
  #seenPreface: boolean;
  #seenSettings = false;
  #hasHadStream = false;
  /** The last request's headers and what was read from them: clients repeat their headers. */
  #lastList: HeaderList | undefined;
  #lastHead: RequestHead | string | undefined;
  #now = performance.now();
  #lastRead: number;
  #idleSince: number;
  #pingedAt: number | undefined;
  readonly #born: number;
  readonly #oldAt: number;
  #goingSince: number | undefined;
  #lastAccepted = MAX_WINDOW;
  #lingerUntil: number | undefined;
  #discarded = 0;
  #hasFailed = false;
  #isClosed = false;

  constructor(socket: ByteStream, options: ConnectionOptions) {
    this.limits = { ...CONNECTION_LIMITS, ...options.limits };
    this.#role = options.role;
    this.#options = options;
    this.#socket = socket;
    this.#output = new Output(socket, () => this.#onWritten(), (cause) => this.#lose(cause));
    const { headerTableBytes, headerListBytes, ageMs, connectionWindow } = this.limits;
    this.#decoder = new HpackDecoder({ maxTableSize: headerTableBytes, maxListSize: headerListBytes });
    this.#isKnown = options.role === "client";
    this.#seenPreface = options.role === "client";
    this.#receiveWindow = Math.max(connectionWindow, DEFAULT_WINDOW);
    this.#born = this.#lastRead = this.#idleSince = this.#now;
    this.#oldAt = this.#born + ageMs * (1 - Math.random() / 10);
    this.#flood = new FloodGuard(this.#isKnown ? KNOWN_FLOOD : STRANGER_FLOOD, this.#now);
    this.#greet();
  }

  /** Whether a call of the peer was authenticated. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Whether the connection has ended, or is ending after a violation. */
  get isLost(): boolean {
    return this.#isClosed || this.#hasFailed;
  }

  /** Whether the peer has sent its SETTINGS, so that it speaks HTTP/2. */
  get hasSpoken(): boolean {
    return this.#seenSettings;
  }

  /** Whether nothing is under way. */
  get isIdle(): boolean {
    return this.#streams.size === 0 && this.#places === 0;
  }

  /** Whether `open` may be called: neither closing nor at the peer's limit. */
  get hasRoom(): boolean {
    return !this.isGoing && this.#streams.size < this.#peerStreams && this.#nextStream <= MAX_WINDOW;
  }

  /** Whether the connection takes no new streams. */
  get isGoing(): boolean {
    return this.#isClosed || this.#goingSince !== undefined || this.#lingerUntil !== undefined;
  }

  /** Monotonic time of the last bytes from the peer, milliseconds. */
  get lastRead(): number {
    return this.#lastRead;
  }

  /** Reads until the connection has ended. Never rejects. */
  async run(): Promise<void> {
    try {
      while (!this.#isClosed) {
        const count = await this.#socket.read(this.#reader.room());
        if (count === null) break;
        if (this.#lingerUntil === undefined) await this.#take(count);
        else if ((this.#discarded += count) > LINGER_BYTES) break;
      }
    } catch (error) {
      this.#lose(error);
    } finally {
      this.close();
    }
  }

  #lose(cause: unknown): void {
    if (!isLost(cause)) this.#options.onDefect?.(cause);
    this.close();
  }

  async #take(count: number): Promise<void> {
    this.#now = this.#lastRead = performance.now();
    this.#reader.filled(count);
    try {
      this.#receive();
    } catch (error) {
      if (error instanceof ConnectionError) return await this.#end(error.code, error.message);
      return this.defect(error);
    }
    // Not until everything is written: streams that always have more would keep their own resets unread.
    if (this.#output.waiting > this.limits.unsentBytes) await this.#output.written();
  }

  /** Opens a stream; clients only. @throws {RangeError} a header has a character over U+00FF */
  open(list: HeaderList, endStream: boolean, listener: Http2Stream["listener"]): Http2Stream {
    const stream = new Http2Stream(this.#nextStream, this, {
      send: this.#peerWindow,
      receive: this.limits.streamWindow,
    }, performance.now());
    stream.listener = listener;
    this.#putHeaders(stream, list, endStream);
    this.#nextStream += 2;
    this.#streams.set(stream.id, stream);
    return stream;
  }

  /** Widens the bounds: the peer has proved who it is. */
  authenticated(): void {
    if (this.#isKnown) return;
    this.#isKnown = true;
    this.#flood.raise(KNOWN_FLOOD, this.#now);
    putSettings(this.#output.writer, [SETTING.MAX_CONCURRENT_STREAMS, this.limits.streams]);
    this.#output.changed();
  }

  /** Ends the connection after an error that only this program explains. */
  defect(error: unknown): void {
    if (this.isLost) return;
    this.#options.onDefect?.(error);
    this.#fail(CODE.INTERNAL_ERROR, "internal error");
  }

  /** Charges a stranger for a message of a streaming call. @throws {ConnectionError} ENHANCE_YOUR_CALM */
  chargeMessage(): void {
    if (!this.#isKnown) this.#spend(PRICE.strangerMessage);
  }

  /** Asks the peer to open no more streams, and closes once those that are open have ended. */
  shutdown(): void {
    if (this.isGoing) return;
    this.#goingSince = performance.now();
    putGoAway(this.#output.writer, MAX_WINDOW, CODE.NO_ERROR, "");
    putPing(this.#output.writer, SHUTDOWN_PING, false);
    this.#output.changed();
    this.#options.onGoAway?.();
  }

  /** Pings the peer; without an answer in `keepAliveAnswerMs`, the connection is closed. */
  probe(): void {
    if (this.#pingedAt !== undefined || this.#isClosed) return;
    this.#pingedAt = performance.now();
    putPing(this.#output.writer, KEEP_ALIVE_PING, false);
    this.#output.changed();
  }

  /** Checks the timeouts; to be called every `tickMs`. */
  tick(now: number): void {
    this.#now = now;
    const { limits } = this;
    const { writingSince } = this.#output;
    if (writingSince !== undefined && now - writingSince > limits.stallMs) return this.close();
    if (this.#lingerUntil !== undefined) {
      if (now > this.#lingerUntil) this.close();
      return;
    }
    if (this.#block && now - this.#block.since > limits.requestMs) {
      return this.#fail(CODE.ENHANCE_YOUR_CALM, "a header block took too long");
    }
    for (const stream of this.#streams.values()) {
      const isStalled = stream.blocked.length > 0 && now - stream.progressAt > limits.stallMs;
      const isLate = !stream.remoteEnded && now > stream.requestDue;
      if (isStalled || isLate) this.resetStream(stream, CODE.CANCEL);
    }
    if (this.#role === "server") this.#judgeAge(now);
    this.#askForLife(now);
  }

  /** Closes the connection without a GOAWAY; every open stream is reset with CANCEL. */
  close(): void {
    if (this.#isClosed) return;
    const wasGoing = this.isGoing;
    this.#isClosed = true;
    this.#socket.close();
    for (const stream of [...this.#streams.values()]) this.#forget(stream, RESET_BY_PEER, CODE.CANCEL);
    if (!wasGoing) this.#options.onGoAway?.();
    this.#options.onClose?.();
  }

  // --- what streams ask for

  sendHeaders(stream: Http2Stream, list: HeaderList, endStream: boolean): void {
    if (stream.blocked.length > 0) {
      stream.blocked.push({ bytes: NO_BYTES, at: 0, endStream, trailers: list });
      return;
    }
    this.#putHeaders(stream, list, endStream);
  }

  sendData(stream: Http2Stream, bytes: Uint8Array, endStream: boolean, prefix: Uint8Array): void {
    const length = prefix.length + bytes.length;
    const fits = stream.blocked.length === 0 && length <= this.#sendWindow &&
      length <= stream.sendWindow && length <= this.#peerFrameBytes &&
      this.#output.waiting <= this.limits.unsentBytes;
    if (fits) return this.#putData(stream, bytes, endStream, prefix);
    if (stream.blocked.length === 0) stream.progressAt = performance.now();
    // A copy also of a message alone, which may share its buffer with others.
    const whole = new Uint8Array(length);
    whole.set(prefix);
    whole.set(bytes, prefix.length);
    stream.blocked.push({ bytes: whole, at: 0, endStream, trailers: undefined });
    this.#blockedBytes += length;
    this.#blocked.add(stream);
    this.#sendBlocked();
  }

  resetStream(stream: Http2Stream, code: Code): void {
    if (stream.closed) return;
    putReset(this.#output.writer, stream.id, code);
    this.#output.changed();
    this.#forget(stream, RESET_BY_US, code);
  }

  release(stream: Http2Stream, bytes: number): void {
    this.#releaseConnection(bytes);
    if (stream.closed || stream.remoteEnded) return;
    stream.credit += bytes;
    if (stream.credit < this.limits.streamWindow / 2) return;
    stream.receiveWindow += stream.credit;
    putWindowUpdate(this.#output.writer, stream.id, stream.credit);
    this.#output.changed();
    stream.credit = 0;
  }

  handlerEnded(stream: Http2Stream): void {
    if (!stream.closed) return;
    this.#places--;
    this.#considerEnd();
  }

  // --- sending

  #greet(): void {
    const { writer } = this.#output;
    const { limits } = this;
    if (this.#role === "client") {
      writer.put(PREFACE);
      putSettings(writer, [SETTING.ENABLE_PUSH, 0, SETTING.INITIAL_WINDOW_SIZE, limits.streamWindow]);
    } else {
      putSettings(writer, [
        SETTING.MAX_CONCURRENT_STREAMS,
        limits.strangerStreams,
        SETTING.INITIAL_WINDOW_SIZE,
        limits.streamWindow,
        SETTING.MAX_HEADER_LIST_SIZE,
        limits.headerListBytes,
      ]);
    }
    if (limits.connectionWindow > DEFAULT_WINDOW) {
      putWindowUpdate(writer, 0, limits.connectionWindow - DEFAULT_WINDOW);
    }
    this.#output.changed();
  }

  #putHeaders(stream: Http2Stream, list: HeaderList, endStream: boolean): void {
    const { writer } = this.#output;
    const start = writer.length;
    writer.reserve(FRAME_HEADER_BYTES);
    writer.length += FRAME_HEADER_BYTES;
    try {
      this.#encoder.encode(list, writer);
    } catch (error) {
      writer.length = start;
      throw error;
    }
    finishHeaders(writer, start, stream.id, endStream, this.#peerFrameBytes);
    this.#output.changed();
    if (endStream) this.#endLocal(stream);
  }

  #putData(stream: Http2Stream, bytes: Uint8Array, endStream: boolean, prefix: Uint8Array = NO_BYTES): void {
    const { writer } = this.#output;
    const length = prefix.length + bytes.length;
    putFrameHeader(writer, length, FRAME.DATA, endStream ? FLAG.END_STREAM : 0, stream.id);
    writer.put(prefix);
    writer.put(bytes);
    this.#sendWindow -= length;
    stream.sendWindow -= length;
    this.#flood.earn(length / BYTES_PER_EARNED_TOKEN);
    this.#output.changed();
    if (endStream) this.#endLocal(stream);
  }

  #onWritten(): void {
    try {
      this.#sendBlocked();
    } catch (error) {
      this.defect(error);
    }
  }

  #sendBlocked(): void {
    for (const stream of this.#blocked) {
      if (this.#output.waiting > this.limits.unsentBytes) return;
      this.#sendBlockedOf(stream);
      if (stream.blocked.length > 0) continue;
      this.#blocked.delete(stream);
      if (!stream.closed) stream.listener.onDrained?.();
    }
  }

  #sendBlockedOf(stream: Http2Stream): void {
    for (let next = stream.blocked[0]; next !== undefined; next = stream.blocked[0]) {
      if (next.trailers) {
        stream.blocked.shift();
        this.#putHeaders(stream, next.trailers, next.endStream);
        continue;
      }
      const remaining = next.bytes.length - next.at;
      const window = Math.max(0, Math.min(this.#sendWindow, stream.sendWindow));
      const size = Math.min(remaining, window, this.#peerFrameBytes);
      if (remaining > 0 && size === 0 || this.#output.waiting > this.limits.unsentBytes) return;
      const isLast = size === remaining;
      if (isLast) stream.blocked.shift();
      this.#blockedBytes -= size;
      stream.progressAt = this.#now;
      this.#putData(stream, next.bytes.subarray(next.at, next.at + size), isLast && next.endStream);
      next.at += size;
    }
  }

  #endLocal(stream: Http2Stream): void {
    stream.localEnded = true;
    if (this.#role === "server") {
      this.#flood.earn(EARNED_BY_ANSWER);
      // The rest of the request is of no use any more.
      if (!stream.remoteEnded) return this.resetStream(stream, CODE.NO_ERROR);
    }
    if (stream.remoteEnded) this.#forget(stream, ENDED);
  }

  #releaseConnection(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit < this.limits.connectionWindow / 2 || this.#isClosed) return;
    this.#receiveWindow += this.#credit;
    putWindowUpdate(this.#output.writer, 0, this.#credit);
    this.#output.changed();
    this.#credit = 0;
  }

  // --- receiving

  #receive(): void {
    if (!this.#seenPreface) {
      const isPreface = this.#reader.skip(PREFACE);
      if (isPreface === undefined) return;
      if (!isPreface) throw new ConnectionError(CODE.PROTOCOL_ERROR, "the preface of HTTP/2 is missing");
      this.#seenPreface = true;
    }
    this.#reader.frames(this.#onFrame);
  }

  readonly #onFrame = (
    type: number,
    flags: number,
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void => {
    if (!this.#seenSettings && (type !== FRAME.SETTINGS || flags & FLAG.ACK)) {
      throw new ConnectionError(CODE.PROTOCOL_ERROR, "the first frame is not SETTINGS");
    }
    if (this.#block && (type !== FRAME.CONTINUATION || id !== this.#block.stream)) {
      throw new ConnectionError(CODE.PROTOCOL_ERROR, "a frame inside a header block");
    }
    try {
      switch (type) {
        case FRAME.DATA:
          return this.#onData(flags, id, bytes, start, end);
        case FRAME.HEADERS:
          return this.#onHeaders(flags, id, bytes, start, end);
        case FRAME.PRIORITY:
          return this.#onPriority(id, bytes, start, end);
        case FRAME.RST_STREAM:
          return this.#onReset(id, bytes, start, end);
        case FRAME.SETTINGS:
          return this.#onSettings(flags, id, bytes, start, end);
        case FRAME.PUSH_PROMISE:
          throw new ConnectionError(CODE.PROTOCOL_ERROR, "a pushed stream");
        case FRAME.PING:
          return this.#onPing(flags, id, bytes, start, end);
        case FRAME.GOAWAY:
          return this.#onGoAway(id, bytes, start, end);
        case FRAME.WINDOW_UPDATE:
          return this.#onWindowUpdate(id, bytes, start, end);
        case FRAME.CONTINUATION:
          return this.#onContinuation(flags, bytes, start, end);
        default:
          this.#spend(PRICE.unknown);
      }
    } catch (error) {
      if (!(error instanceof StreamViolation)) throw error;
      this.#refuse(error.stream, error.code);
    }
  };

  #onData(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    const stream = this.#streamOf(id, "DATA");
    const length = end - start;
    if (length > this.#receiveWindow) {
      throw new ConnectionError(CODE.FLOW_CONTROL_ERROR, "more DATA than the connection's window");
    }
    this.#receiveWindow -= length;
    if (flags & FLAG.PADDED) {
      const padding = length > 0 ? bytes[start]! : length;
      if (padding >= length) throw new ConnectionError(CODE.PROTOCOL_ERROR, "padding longer than its frame");
      start += 1;
      end -= padding;
    }
    const endStream = (flags & FLAG.END_STREAM) !== 0;
    if (!endStream && end - start < SMALL_DATA_BYTES) this.#spend(PRICE.smallData);
    if (!stream || stream.remoteEnded) {
      this.#releaseConnection(length);
      if (!stream && this.#recent.get(id) === RESET_BY_US) return this.#spend(PRICE.unknown);
      throw new StreamViolation(id, CODE.STREAM_CLOSED, "DATA after the end of the stream");
    }
    if (this.#role === "client" && !stream.hasHeaders) {
      this.#releaseConnection(length);
      throw new StreamViolation(id, CODE.PROTOCOL_ERROR, "DATA before HEADERS");
    }
    if (length > stream.receiveWindow) {
      this.#releaseConnection(length);
      throw new StreamViolation(id, CODE.FLOW_CONTROL_ERROR, "more DATA than the stream's window");
    }
    stream.receiveWindow -= length;
    if (length > end - start) this.release(stream, length - (end - start));
    if (stream.expected !== undefined) {
      stream.expected -= end - start;
      if (stream.expected < 0 || (endStream && stream.expected > 0)) {
        this.#releaseConnection(end - start);
        throw new StreamViolation(id, CODE.PROTOCOL_ERROR, "content-length differs from the DATA");
      }
    }
    stream.remoteEnded = endStream;
    stream.listener.onData(bytes, start, end, endStream);
    if (endStream && stream.localEnded && !stream.closed) this.#forget(stream, ENDED);
  }

  #onHeaders(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (id === 0 || id % 2 === 0) throw new ConnectionError(CODE.PROTOCOL_ERROR, "HEADERS of a wrong stream");
    if (flags & FLAG.PADDED) {
      const padding = bytes[start]!;
      if (end === start || padding >= end - start) {
        throw new ConnectionError(CODE.PROTOCOL_ERROR, "padding longer than its frame");
      }
      start += 1;
      end -= padding;
    }
    let dependsOnItself = false;
    if (flags & FLAG.PRIORITY) {
      if (end - start < 5) throw new ConnectionError(CODE.FRAME_SIZE_ERROR, "HEADERS without its priority");
      dependsOnItself = uint31(bytes, start) === id;
      start += 5;
    }
    const endStream = (flags & FLAG.END_STREAM) !== 0;
    if (flags & FLAG.END_HEADERS) {
      this.#onBlock(id, { endStream, dependsOnItself }, bytes, start, end);
    } else {
      this.#requireBlockSize(end - start);
      this.#block = {
        stream: id,
        endStream,
        dependsOnItself,
        bytes: [bytes.slice(start, end)],
        length: end - start,
        frames: 0,
        since: this.#now,
      };
    }
  }

  #onContinuation(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const block = this.#block;
    if (!block) throw new ConnectionError(CODE.PROTOCOL_ERROR, "CONTINUATION without HEADERS");
    this.#spend(PRICE.continuation);
    block.length += end - start;
    this.#requireBlockSize(block.length);
    if (++block.frames > this.limits.continuationFrames) {
      throw new ConnectionError(CODE.ENHANCE_YOUR_CALM, "too many CONTINUATION frames");
    }
    block.bytes.push(bytes.slice(start, end));
    if (!(flags & FLAG.END_HEADERS)) return;
    this.#block = undefined;
    const whole = new Uint8Array(block.length);
    let at = 0;
    for (const part of block.bytes) {
      whole.set(part, at);
      at += part.length;
    }
    this.#onBlock(block.stream, block, whole, 0, whole.length);
  }

  #requireBlockSize(length: number): void {
    if (length <= this.limits.headerBlockBytes) return;
    throw new ConnectionError(CODE.ENHANCE_YOUR_CALM, "a header block is too large");
  }

  #onBlock(
    id: number,
    { endStream, dependsOnItself }: Pick<OpenBlock, "endStream" | "dependsOnItself">,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#requireBlockSize(end - start);
    const list = this.#decode(bytes, start, end);
    const fields = this.#decoder.fields;
    if (fields > 32) this.#spend((fields >>> 4) * PRICE.manyFields);
    if (dependsOnItself) {
      if (this.#role === "server") this.#lastPeerStream = Math.max(this.#lastPeerStream, id);
      throw new StreamViolation(id, CODE.PROTOCOL_ERROR, "a stream depends on itself");
    }
    const stream = this.#streams.get(id);
    if (stream) return this.#onMoreHeaders(stream, list, endStream);
    if (this.#role === "server" && id > this.#lastPeerStream) return this.#onRequest(id, list, endStream);
    switch (this.#recent.get(id)) {
      case RESET_BY_US:
        return this.#spend(PRICE.unknown);
      case ENDED:
      case RESET_BY_PEER:
        throw new ConnectionError(CODE.STREAM_CLOSED, "HEADERS after the end of the stream");
      default:
        // The response to a call that was canceled so long ago that it is not among the recent ones.
        if (this.#role === "client" && id < this.#nextStream) return this.#spend(PRICE.unknown);
        throw new ConnectionError(CODE.PROTOCOL_ERROR, "HEADERS of a wrong stream");
    }
  }

  #decode(bytes: Uint8Array, start: number, end: number): HeaderList | undefined {
    try {
      return this.#decoder.decode(bytes, start, end);
    } catch (error) {
      if (error instanceof HpackError) throw new ConnectionError(CODE.COMPRESSION_ERROR, error.message);
      throw error;
    }
  }

  #onRequest(id: number, list: HeaderList | undefined, endStream: boolean): void {
    this.#lastPeerStream = id;
    if (!this.#isKnown) this.#spend(PRICE.strangerCall);
    const limit = this.#isKnown ? this.limits.streams : this.limits.strangerStreams;
    const isFull = this.#places >= limit || this.#blockedBytes > this.limits.blockedBytes;
    if (isFull || id > this.#lastAccepted) {
      throw new StreamViolation(id, CODE.REFUSED_STREAM, "too many streams");
    }
    if (!list) throw new StreamViolation(id, CODE.ENHANCE_YOUR_CALM, "the header list is too large");
    if (list !== this.#lastList) {
      this.#lastHead = checkRequest(list);
      this.#lastList = list;
    }
    const head = this.#lastHead!;
    if (typeof head === "string") throw new StreamViolation(id, CODE.PROTOCOL_ERROR, head);
    if (endStream && head.contentLength) {
      throw new StreamViolation(id, CODE.PROTOCOL_ERROR, "content-length differs from the DATA");
    }
    const stream = new Http2Stream(id, this, {
      send: this.#peerWindow,
      receive: this.limits.streamWindow,
    }, this.#now);
    stream.remoteEnded = endStream;
    stream.expected = head.contentLength;
    if (!endStream) stream.requestDue = this.#now + this.limits.requestMs;
    this.#streams.set(id, stream);
    this.#places++;
    this.#hasHadStream = true;
    this.#options.onRequest!(stream, head, list, endStream);
  }

  /** Trailers of a request; headers and trailers of a response. */
  #onMoreHeaders(stream: Http2Stream, list: HeaderList | undefined, endStream: boolean): void {
    const { id } = stream;
    if (stream.remoteEnded) {
      throw new StreamViolation(id, CODE.STREAM_CLOSED, "HEADERS after the end of the stream");
    }
    if (!list) throw new StreamViolation(id, CODE.ENHANCE_YOUR_CALM, "the header list is too large");
    const isTrailers = this.#role === "server" || stream.hasHeaders;
    if (isTrailers) {
      const wrong = endStream ? checkTrailers(list) : "trailers that do not end the stream";
      if (wrong !== undefined) throw new StreamViolation(id, CODE.PROTOCOL_ERROR, wrong);
      if (stream.expected) throw new StreamViolation(id, CODE.PROTOCOL_ERROR, "content-length differs");
    } else {
      const status = checkResponse(list);
      if (typeof status === "string") throw new StreamViolation(id, CODE.PROTOCOL_ERROR, status);
      if (status < 200 && endStream) throw new StreamViolation(id, CODE.PROTOCOL_ERROR, "no final response");
      if (status < 200) return this.#spend(PRICE.unknown);
      stream.hasHeaders = true;
    }
    stream.remoteEnded = endStream;
    stream.listener.onHeaders(list, endStream);
    if (endStream && stream.localEnded && !stream.closed) this.#forget(stream, ENDED);
  }

  #onPriority(id: number, bytes: Uint8Array, start: number, end: number): void {
    this.#spend(PRICE.priority);
    if (id === 0) throw new ConnectionError(CODE.PROTOCOL_ERROR, "PRIORITY of stream 0");
    if (end - start !== 5) throw new StreamViolation(id, CODE.FRAME_SIZE_ERROR, "PRIORITY has 5 bytes");
    if (uint31(bytes, start) === id) {
      throw new StreamViolation(id, CODE.PROTOCOL_ERROR, "a stream depends on itself");
    }
  }

  #onReset(id: number, bytes: Uint8Array, start: number, end: number): void {
    if (end - start !== 4) throw new ConnectionError(CODE.FRAME_SIZE_ERROR, "RST_STREAM has 4 bytes");
    this.#spend(this.#isKnown ? PRICE.reset : PRICE.strangerCall);
    const stream = this.#streamOf(id, "RST_STREAM");
    if (stream) this.#forget(stream, RESET_BY_PEER, uint32(bytes, start) as Code);
  }

  #onSettings(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (id !== 0) throw new ConnectionError(CODE.PROTOCOL_ERROR, "SETTINGS of a stream");
    const isAck = (flags & FLAG.ACK) !== 0;
    if (isAck ? end > start : (end - start) % 6 !== 0) {
      throw new ConnectionError(CODE.FRAME_SIZE_ERROR, "SETTINGS of a wrong size");
    }
    if (isAck) return this.#spend(PRICE.unknown);
    const isFirst = !this.#seenSettings;
    if (!isFirst) this.#spend(PRICE.settings);
    this.#seenSettings = true;
    if (end - start > 6 * 32) this.#spend(PRICE.settings * ((end - start) / 192));
    for (let at = start; at < end; at += 6) {
      this.#set(bytes[at]! << 8 | bytes[at + 1]!, uint32(bytes, at + 2));
    }
    putSettingsAck(this.#output.writer);
    this.#output.changed();
    this.#sendBlocked(); // what a wider window lets go
    if (isFirst) this.#options.onSettings?.();
  }

  #set(setting: number, value: number): void {
    switch (setting) {
      case SETTING.HEADER_TABLE_SIZE:
        return this.#encoder.setPeerTableSize(value);
      case SETTING.ENABLE_PUSH:
        if (value > 1 || (value === 1 && this.#role === "client")) {
          throw new ConnectionError(CODE.PROTOCOL_ERROR, "ENABLE_PUSH is 0 or 1");
        }
        return;
      case SETTING.MAX_CONCURRENT_STREAMS:
        this.#peerStreams = value;
        return;
      case SETTING.INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW) {
          throw new ConnectionError(CODE.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE is too large");
        }
        return this.#setPeerWindow(value);
      case SETTING.MAX_FRAME_SIZE:
        if (value < DEFAULT_FRAME_BYTES || value > MAX_FRAME_BYTES) {
          throw new ConnectionError(CODE.PROTOCOL_ERROR, "MAX_FRAME_SIZE is out of range");
        }
        this.#peerFrameBytes = Math.min(value, 4 * DEFAULT_FRAME_BYTES);
    }
  }

  #setPeerWindow(value: number): void {
    const difference = value - this.#peerWindow;
    this.#peerWindow = value;
    for (const stream of this.#streams.values()) {
      stream.sendWindow += difference;
      if (stream.sendWindow > MAX_WINDOW) {
        throw new ConnectionError(CODE.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE overflows a window");
      }
    }
  }

  #onPing(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (id !== 0) throw new ConnectionError(CODE.PROTOCOL_ERROR, "PING of a stream");
    if (end - start !== 8) throw new ConnectionError(CODE.FRAME_SIZE_ERROR, "PING has 8 bytes");
    this.#spend(PRICE.ping);
    const payload = bytes.subarray(start, end);
    if (!(flags & FLAG.ACK)) {
      putPing(this.#output.writer, payload, true);
      this.#output.changed();
    } else if (this.#goingSince !== undefined && SHUTDOWN_PING.every((byte, at) => byte === payload[at])) {
      this.#saySecondGoAway();
    }
  }

  #onGoAway(id: number, bytes: Uint8Array, start: number, end: number): void {
    if (id !== 0) throw new ConnectionError(CODE.PROTOCOL_ERROR, "GOAWAY of a stream");
    if (end - start < 8) throw new ConnectionError(CODE.FRAME_SIZE_ERROR, "GOAWAY has at least 8 bytes");
    this.#spend(PRICE.settings);
    const last = uint31(bytes, start);
    const wasGoing = this.isGoing;
    this.#goingSince ??= this.#now;
    if (this.#role === "client") {
      for (const stream of [...this.#streams.values()]) {
        if (stream.id > last) this.#forget(stream, RESET_BY_PEER, CODE.REFUSED_STREAM);
      }
    }
    if (!wasGoing) this.#options.onGoAway?.();
    this.#considerEnd();
  }

  #onWindowUpdate(id: number, bytes: Uint8Array, start: number, end: number): void {
    if (end - start !== 4) throw new ConnectionError(CODE.FRAME_SIZE_ERROR, "WINDOW_UPDATE has 4 bytes");
    this.#spend(PRICE.windowUpdate);
    const increment = uint31(bytes, start);
    if (id === 0) {
      if (increment === 0) throw new ConnectionError(CODE.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
      this.#sendWindow += increment;
      if (this.#sendWindow > MAX_WINDOW) {
        throw new ConnectionError(CODE.FLOW_CONTROL_ERROR, "the connection's window overflows");
      }
    } else {
      const stream = this.#streamOf(id, "WINDOW_UPDATE");
      if (!stream) return;
      if (increment === 0) throw new StreamViolation(id, CODE.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
      stream.sendWindow += increment;
      if (stream.sendWindow > MAX_WINDOW) {
        throw new StreamViolation(id, CODE.FLOW_CONTROL_ERROR, "the stream's window overflows");
      }
    }
    if (this.#blocked.size > 0) this.#sendBlocked();
  }

  // --- streams and endings

  /**
   * The stream of a frame; undefined when it is gone.
   *
   * @throws {ConnectionError} PROTOCOL_ERROR: it was never there
   */
  #streamOf(id: number, frame: string): Http2Stream | undefined {
    const stream = this.#streams.get(id);
    if (stream) return stream;
    const isIdle = id === 0 || id % 2 === 0 ||
      id > (this.#role === "server" ? this.#lastPeerStream : this.#nextStream - 2);
    if (isIdle) throw new ConnectionError(CODE.PROTOCOL_ERROR, `${frame} of a wrong stream`);
    return undefined;
  }

  #refuse(id: number, code: Code): void {
    this.#spend(PRICE.refusedStream);
    const stream = this.#streams.get(id);
    if (stream) return this.resetStream(stream, code);
    putReset(this.#output.writer, id, code);
    this.#output.changed();
    this.#recent.add(id, RESET_BY_US);
  }

  /** Removes a stream; its listener receives `code` when it ended early. */
  #forget(stream: Http2Stream, ending: Ending, code?: Code): void {
    stream.closed = true;
    this.#streams.delete(stream.id);
    this.#recent.add(stream.id, ending);
    if (stream.blocked.length > 0) {
      for (const { bytes, at } of stream.blocked) this.#blockedBytes -= bytes.length - at;
      stream.blocked.length = 0;
      this.#blocked.delete(stream);
    }
    if (this.#role === "server" && !stream.handled) this.#places--;
    if (code !== undefined) this.#tellReset(stream, code);
    this.#considerEnd();
  }

  /** A listener that fails must not keep the other streams from ending. */
  #tellReset(stream: Http2Stream, code: Code): void {
    try {
      stream.listener.onReset(code);
    } catch (error) {
      this.#options.onDefect?.(error);
    }
  }

  #considerEnd(): void {
    if (!this.isIdle) return;
    this.#idleSince = this.#now;
    if (this.#goingSince === undefined || this.#isClosed || this.#lingerUntil !== undefined) return;
    if (this.#role === "client") void this.#output.drained().then(() => this.close());
    else if (this.#lastAccepted < MAX_WINDOW) void this.#linger();
  }

  #saySecondGoAway(): void {
    if (this.#lastAccepted < MAX_WINDOW) return;
    this.#lastAccepted = this.#lastPeerStream;
    putGoAway(this.#output.writer, this.#lastAccepted, CODE.NO_ERROR, "");
    this.#output.changed();
    this.#considerEnd();
  }

  #judgeAge(now: number): void {
    const { limits } = this;
    if (this.#goingSince !== undefined) {
      if (now - this.#goingSince > limits.lingerMs) this.#saySecondGoAway();
      if (now - this.#goingSince > limits.ageGraceMs) this.close();
    } else if (now > this.#oldAt) {
      this.shutdown();
    } else if (!this.#hasHadStream) {
      if (now - this.#born > limits.firstRequestMs) this.#fail(CODE.NO_ERROR, "no request arrived");
    } else if (!this.#isKnown && this.isIdle && now - this.#idleSince > limits.strangerIdleMs) {
      this.shutdown();
    }
  }

  #askForLife(now: number): void {
    const { keepAliveMs, keepAliveAnswerMs } = this.limits;
    if (this.#pingedAt !== undefined && this.#lastRead >= this.#pingedAt) this.#pingedAt = undefined;
    if (this.#pingedAt !== undefined) {
      if (now - this.#pingedAt > keepAliveAnswerMs) this.close();
    } else if (this.#role === "server" && now - this.#lastRead > keepAliveMs) {
      this.probe();
    }
  }

  #spend(price: number): void {
    if (this.#flood.spend(price, this.#now)) return;
    throw new ConnectionError(CODE.ENHANCE_YOUR_CALM, "too many frames that bring no request further");
  }

  #fail(code: Code, reason: string): void {
    void this.#end(code, reason);
  }

  /** Says why, then reads on for a moment: closing a socket with unread bytes would destroy what was said. */
  async #end(code: Code, reason: string): Promise<void> {
    if (this.#isClosed || this.#lingerUntil !== undefined) return;
    this.#hasFailed = true;
    putGoAway(this.#output.writer, this.#lastPeerStream, code, reason);
    for (const stream of [...this.#streams.values()]) this.#forget(stream, RESET_BY_US, CODE.CANCEL);
    await this.#linger();
  }

  async #linger(): Promise<void> {
    if (this.#lingerUntil !== undefined || this.#isClosed) return;
    const wasGoing = this.#goingSince !== undefined;
    this.#lingerUntil = performance.now() + this.limits.lingerMs;
    this.#reader.clear(); // a full buffer would make every further read return 0 bytes at once, without end
    if (!wasGoing) this.#options.onGoAway?.();
    await this.#output.drained();
    await this.#socket.closeWrite?.().catch(() => {});
  }
}

const NO_BYTES = new Uint8Array(0);

/** Whether an error means only that the connection is gone. */
function isLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return LOST.some((kind) => error instanceof kind) || "code" in error;
}

const LOST = [
  Deno.errors.ConnectionReset,
  Deno.errors.ConnectionAborted,
  Deno.errors.BrokenPipe,
  Deno.errors.BadResource,
  Deno.errors.Interrupted,
  Deno.errors.UnexpectedEof,
  Deno.errors.TimedOut,
  Deno.errors.InvalidData,
];
