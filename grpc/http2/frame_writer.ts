/** Appends frames to the bytes that a connection sends next. */
import type { ByteWriter } from "../byte_writer.ts";
import { type Code, FLAG, FRAME, FRAME_HEADER_BYTES } from "./protocol.ts";

export function putFrameHeader(
  out: ByteWriter,
  length: number,
  type: number,
  flags: number,
  stream: number,
): void {
  out.reserve(FRAME_HEADER_BYTES + length);
  const { bytes } = out;
  const at = out.length;
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  bytes[at + 5] = stream >>> 24;
  bytes[at + 6] = stream >>> 16;
  bytes[at + 7] = stream >>> 8;
  bytes[at + 8] = stream;
  out.length = at + FRAME_HEADER_BYTES;
}

/** @param pairs identifiers and values in turn */
export function putSettings(out: ByteWriter, pairs: readonly number[]): void {
  putFrameHeader(out, pairs.length * 3, FRAME.SETTINGS, 0, 0);
  for (let at = 0; at < pairs.length; at += 2) {
    out.byte(pairs[at]! >>> 8);
    out.byte(pairs[at]!);
    out.uint32(pairs[at + 1]!);
  }
}

export function putSettingsAck(out: ByteWriter): void {
  putFrameHeader(out, 0, FRAME.SETTINGS, FLAG.ACK, 0);
}

/** @param payload 8 bytes */
export function putPing(out: ByteWriter, payload: Uint8Array, ack: boolean): void {
  putFrameHeader(out, 8, FRAME.PING, ack ? FLAG.ACK : 0, 0);
  out.put(payload);
}

export function putReset(out: ByteWriter, stream: number, code: Code): void {
  putFrameHeader(out, 4, FRAME.RST_STREAM, 0, stream);
  out.uint32(code);
}

export function putWindowUpdate(out: ByteWriter, stream: number, increment: number): void {
  putFrameHeader(out, 4, FRAME.WINDOW_UPDATE, 0, stream);
  out.uint32(increment);
}

export function putGoAway(out: ByteWriter, lastStream: number, code: Code, reason: string): void {
  const text = new TextEncoder().encode(reason);
  putFrameHeader(out, 8 + text.length, FRAME.GOAWAY, 0, 0);
  out.uint32(lastStream);
  out.uint32(code);
  out.put(text);
}

/** Splits a header block that was appended at `start`, after room for one frame header, into frames. */
export function finishHeaders(
  out: ByteWriter,
  start: number,
  stream: number,
  endStream: boolean,
  maxFrameBytes: number,
): void {
  const blockStart = start + FRAME_HEADER_BYTES;
  const length = out.length - blockStart;
  const end = endStream ? FLAG.END_STREAM : 0;
  if (length <= maxFrameBytes) {
    out.length = start;
    putFrameHeader(out, length, FRAME.HEADERS, FLAG.END_HEADERS | end, stream);
    out.length = blockStart + length;
    return;
  }
  const block = out.bytes.slice(blockStart, out.length);
  out.length = start;
  for (let at = 0; at < block.length; at += maxFrameBytes) {
    const part = block.subarray(at, at + maxFrameBytes);
    const last = at + maxFrameBytes >= block.length ? FLAG.END_HEADERS : 0;
    const type = at === 0 ? FRAME.HEADERS : FRAME.CONTINUATION;
    putFrameHeader(out, part.length, type, last | (at === 0 ? end : 0), stream);
    out.put(part);
  }
}
