/** Encoders of HTTP/2 frames and HPACK literals, which can send what no library would. */

export const DATA = 0, HEADERS = 1, PRIORITY = 2, RST_STREAM = 3, SETTINGS = 4, PING = 6;
export const GOAWAY = 7, WINDOW_UPDATE = 8, CONTINUATION = 9;
export const END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8;

/** RFC 9113, section 3.4. */
export const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
export const MAX_WINDOW = 2 ** 31 - 1;
export const DEFAULT_WINDOW = 65_535;

const NOTHING = new Uint8Array(0);

/** One frame of any type, flags and stream, valid or not. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = NOTHING,
): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  bytes.set([payload.length >> 16, payload.length >> 8 & 0xff, payload.length & 0xff, type, flags]);
  bytes.set(uint32(stream), 5);
  bytes.set(payload, 9);
  return bytes;
}

/** A SETTINGS frame of pairs: identifier (RFC 9113, section 6.5.2) and value. */
export function settings(...pairs: [number, number][]): Uint8Array {
  return frame(SETTINGS, 0, 0, concat(pairs.map(([id, value]) => concat([uint16(id), uint32(value)]))));
}

export const INITIAL_WINDOW_SIZE = 4;

export function windowUpdate(stream: number, increment: number): Uint8Array {
  return frame(WINDOW_UPDATE, 0, stream, uint32(increment));
}

/** RST_STREAM, by default with CANCEL. */
export function reset(stream: number, code = 8): Uint8Array {
  return frame(RST_STREAM, 0, stream, uint32(code));
}

export function ping(payload: Uint8Array = new Uint8Array(8)): Uint8Array {
  return frame(PING, 0, 0, payload);
}

/** Names and values in their order. */
export type Fields = readonly (readonly [string, string])[];

/** HPACK: each field as a literal without indexing and with a literal name, RFC 7541, section 6.2.2. */
export function literals(fields: Fields): Uint8Array {
  return concat(fields.flatMap(([name, value]) => [Uint8Array.of(0), text(name), text(value)]));
}

/** HPACK: one field that enters the dynamic table, RFC 7541, section 6.2.1. */
export function indexedLiteral(name: string, value: string): Uint8Array {
  return concat([Uint8Array.of(0x40), text(name), text(value)]);
}

/** HPACK: refers to the newest field of the dynamic table. */
export const NEWEST_ENTRY = 0x80 | 62;

function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return concat([integer(bytes.length, 7), bytes]);
}

/** RFC 7541, section 5.1, with the bits above the prefix zero. */
function integer(value: number, prefix: number): Uint8Array {
  const most = 2 ** prefix - 1;
  if (value < most) return Uint8Array.of(value);
  const bytes = [most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(rest % 128 | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

/** A gRPC message with its prefix, by default not compressed. */
export function grpcMessage(bytes: Uint8Array = NOTHING, compressed = 0): Uint8Array {
  return concat([Uint8Array.of(compressed), uint32(bytes.length), bytes]);
}

export interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Uint8Array;
}

/** Splits received bytes into frames. An incomplete frame is kept for the next call. */
export function frameReader(): (chunk: Uint8Array) => Frame[] {
  let rest: Uint8Array = NOTHING;
  return (chunk) => {
    const bytes = rest.length > 0 ? concat([rest, chunk]) : chunk;
    const frames: Frame[] = [];
    let at = 0;
    while (at + 9 <= bytes.length) {
      const length = bytes[at]! << 16 | bytes[at + 1]! << 8 | bytes[at + 2]!;
      if (at + 9 + length > bytes.length) break;
      frames.push({
        type: bytes[at + 3]!,
        flags: bytes[at + 4]!,
        stream: readUint32(bytes, at + 5) & MAX_WINDOW,
        payload: bytes.slice(at + 9, at + 9 + length),
      });
      at += 9 + length;
    }
    rest = bytes.slice(at);
    return frames;
  };
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

export function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16 & 0xff, value >>> 8 & 0xff, value & 0xff);
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8 & 0xff, value & 0xff);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The same bytes several times. */
export function repeat(bytes: Uint8Array, times: number): Uint8Array {
  return concat(Array.from({ length: times }, () => bytes));
}
