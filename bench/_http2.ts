/**
 * As much of an HTTP/2 client as sending one kind of gRPC call takes, on a plain socket. It spends a few
 * microseconds a call, so that a load generator in one process is never what limits the server it drives.
 */

/** What came back on a stream. A gRPC error carries no message, so that `answered` tells success. */
export interface Ended {
  stream: number;
  answered: boolean;
}

export interface Connection {
  /** Adds a call to what `flush` sends; returns its stream. */
  call(message: Uint8Array): number;
  flush(): Promise<void>;
  /** The calls that ended, in lots as they arrive, until the server closes. */
  ended(): AsyncIterable<Ended[]>;
  close(): void;
}

const DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8;
const END_STREAM = 1, ACK = 1, END_HEADERS = 4;
const WINDOW = 0x7fff_0000;
const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export async function connect(port: number, path: string): Promise<Connection> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  socket.setNoDelay(true);
  let pending: Uint8Array[] = [PREFACE, frame(SETTINGS, 0, 0, new Uint8Array([0, 4, 0x7f, 0xff, 0, 0]))];
  pending.push(frame(WINDOW_UPDATE, 0, 0, uint32(WINDOW - 65_535)));
  const header = headerBlocks(path, `127.0.0.1:${port}`);
  let stream = -1;
  let received = 0;

  const flush = async () => {
    const bytes = concat(pending);
    pending = [];
    for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
  };

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
        if (type === SETTINGS && !(flags & ACK)) pending.push(frame(SETTINGS, ACK, 0, new Uint8Array(0)));
        if (type === PING && !(flags & ACK)) pending.push(frame(PING, ACK, 0, bytes.slice(at + 9, at + 17)));
        at += 9 + length;
      }
      rest = bytes.slice(at);
      if (received > WINDOW / 2) {
        pending.push(frame(WINDOW_UPDATE, 0, 0, uint32(received)));
        received = 0;
      }
      yield lot;
    }
  }

  return {
    call(message) {
      stream += 2;
      pending.push(frame(HEADERS, END_HEADERS, stream, stream === 1 ? header.first : header.next));
      const body = concat([new Uint8Array([0]), uint32(message.length), message]);
      pending.push(frame(DATA, END_STREAM, stream, body));
      return stream;
    },
    flush,
    ended,
    close: () => socket.close(),
  };
}

/** HPACK: the first request teaches the server our headers, every later one refers to them, as real clients do. */
function headerBlocks(path: string, authority: string): { first: Uint8Array; next: Uint8Array } {
  const text = (value: string) => {
    const bytes = new TextEncoder().encode(value);
    return [bytes.length, ...bytes];
  };
  const [METHOD_POST, SCHEME_HTTP] = [0x83, 0x86];
  const learn = 0x40;
  const first = [METHOD_POST, SCHEME_HTTP];
  first.push(learn | 4, ...text(path), learn | 1, ...text(authority));
  first.push(learn | 31, ...text("application/grpc"), learn, ...text("te"), ...text("trailers"));
  const learnt = 0x80 | 62; // the newest entry of the table; the one before it is 63, and so on
  const next = [METHOD_POST, SCHEME_HTTP, learnt + 3, learnt + 2, learnt + 1, learnt];
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
