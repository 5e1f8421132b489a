/**
 * Minimal HTTP/2 client for one kind of gRPC call, on a plain socket. It takes a few microseconds per call, so that one
 * load generator process is never the bottleneck.
 */

/** Result of a stream. A gRPC error has no message, so `answered` means success. */
export interface Ended {
  stream: number;
  answered: boolean;
}

export interface Connection {
  /** Adds a call to what `flush` sends; returns its stream. */
  call(message: Uint8Array): number;
  flush(): Promise<void>;
  /** Ended calls, in batches as they arrive, until the server closes the connection. */
  ended(): AsyncIterable<Ended[]>;
  close(): void;
}

const DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8;
const END_STREAM = 1, ACK = 1, END_HEADERS = 4;
const WINDOW = 0x7fff_0000;
const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export interface ConnectOptions {
  port: number;
  path: string;
  /** Length of every sent message, in bytes. */
  messageLength: number;
  /** Additional headers of every call, with values of up to 126 ASCII characters. */
  headers?: Record<string, string>;
}

export async function connect(
  { port, path, messageLength, headers = {} }: ConnectOptions,
): Promise<Connection> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  socket.setNoDelay(true);
  const pending = new Outgoing();
  pending.add(PREFACE);
  pending.add(frame(SETTINGS, 0, 0, new Uint8Array([0, 4, 0x7f, 0xff, 0, 0])));
  pending.add(frame(WINDOW_UPDATE, 0, 0, uint32(WINDOW - 65_535)));
  const header = headerBlocks(path, `127.0.0.1:${port}`, Object.entries(headers));
  const first = callTemplate(header.first, messageLength);
  const next = callTemplate(header.next, messageLength);
  let stream = -1;
  let received = 0;
  let writing = Promise.resolve();
  let isClosed = false;

  async function write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
  }

  async function* ended(): AsyncGenerator<Ended[]> {
    const answered = new Set<number>();
    let rest = new Uint8Array(0);
    const buffer = new Uint8Array(262_144);
    for (let read = await socket.read(buffer); read !== null; read = await socket.read(buffer)) {
      const bytes = rest.length ? concat([rest, buffer.subarray(0, read)]) : buffer.subarray(0, read);
      const lot: Ended[] = [];
      let at = 0;
      while (at + 9 <= bytes.length) {
        const length = bytes[at]! << 16 | bytes[at + 1]! << 8 | bytes[at + 2]!;
        if (at + 9 + length > bytes.length) break;
        const [type, flags] = [bytes[at + 3]!, bytes[at + 4]!];
        const id = (bytes[at + 5]! << 24 | bytes[at + 6]! << 16 | bytes[at + 7]! << 8 | bytes[at + 8]!) >>> 0;
        if (type === DATA) {
          received += length;
          if (length > 0) answered.add(id);
        }
        if (type === RST_STREAM || ((type === DATA || type === HEADERS) && flags & END_STREAM)) {
          lot.push({ stream: id, answered: answered.delete(id) && type !== RST_STREAM });
        }
        if (type === GOAWAY) return;
        if (type === SETTINGS && !(flags & ACK)) pending.add(frame(SETTINGS, ACK, 0, new Uint8Array(0)));
        if (type === PING && !(flags & ACK)) pending.add(frame(PING, ACK, 0, bytes.slice(at + 9, at + 17)));
        at += 9 + length;
      }
      rest = bytes.slice(at);
      if (received > WINDOW / 2) {
        pending.add(frame(WINDOW_UPDATE, 0, 0, uint32(received)));
        received = 0;
      }
      yield lot;
    }
  }

  return {
    call(message) {
      stream += 2;
      const { bytes, streamAt } = stream === 1 ? first : next;
      const at = pending.add(bytes);
      for (const offset of streamAt) pending.put(at + offset, uint32(stream));
      pending.put(at + bytes.length - messageLength, message);
      return stream;
    },
    flush() {
      const bytes = pending.take();
      const written = writing.then(() => write(bytes)); // one after the other, because a write may be partial
      writing = written.catch(() => {});
      return written;
    },
    ended,
    close() {
      if (isClosed) return;
      isClosed = true;
      socket.close();
    },
  };
}

/** Bytes that wait to be sent. */
class Outgoing {
  #bytes = new Uint8Array(65_536);
  #used = 0;

  /** Returns their offset, for `put`. */
  add(bytes: Uint8Array): number {
    const at = this.#used;
    if (at + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2 + bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, at);
    this.#used += bytes.length;
    return at;
  }

  put(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at);
  }

  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#used);
    this.#used = 0;
    return taken;
  }
}

/** Frames of a call with blank stream IDs and a blank message. */
function callTemplate(header: Uint8Array, messageLength: number): { bytes: Uint8Array; streamAt: number[] } {
  const headers = frame(HEADERS, END_HEADERS, 0, header);
  const uncompressed = 0;
  const prefix = [Uint8Array.of(uncompressed), uint32(messageLength)];
  const data = frame(DATA, END_STREAM, 0, concat([...prefix, new Uint8Array(messageLength)]));
  return { bytes: concat([headers, data]), streamAt: [5, headers.length + 5] };
}

/** HPACK header blocks: the first request adds the headers to the dynamic table, later ones refer to them. */
function headerBlocks(
  path: string,
  authority: string,
  others: [name: string, value: string][],
): { first: Uint8Array; next: Uint8Array } {
  const text = (value: string) => {
    const bytes = new TextEncoder().encode(value);
    return [bytes.length, ...bytes];
  };
  const [METHOD_POST, SCHEME_HTTP] = [0x83, 0x86];
  const indexed = 0x40;
  const first = [METHOD_POST, SCHEME_HTTP];
  first.push(indexed | 4, ...text(path), indexed | 1, ...text(authority));
  first.push(indexed | 31, ...text("application/grpc"), indexed, ...text("te"), ...text("trailers"));
  for (const [name, value] of others) first.push(indexed, ...text(name), ...text(value));
  const newest = 0x80 | 62; // the newest entry of the dynamic table; older ones have higher indexes
  const oldestFirst = Array.from({ length: 4 + others.length }, (_, at) => newest + at).reverse();
  const next = [METHOD_POST, SCHEME_HTTP, ...oldestFirst];
  return { first: Uint8Array.from(first), next: Uint8Array.from(next) };
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array {
  const head = [payload.length >> 16, payload.length >> 8 & 0xff, payload.length & 0xff, type, flags];
  return concat([Uint8Array.from(head), uint32(stream), payload]);
}

function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16 & 0xff, value >>> 8 & 0xff, value & 0xff);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
