/** gRPC calls as frames, and their outcomes read from frames. */
import {
  concat,
  DATA,
  END_HEADERS,
  END_STREAM,
  type Fields,
  frame,
  GOAWAY,
  grpcMessage,
  HEADERS,
  literals,
  readUint32,
  RST_STREAM,
} from "../attack/frames.ts";
import type { Arrived, RawClient } from "./raw_client.ts";

export const ENHANCE_YOUR_CALM = 11;
export const REFUSED_STREAM = 7;
const FRAME_BYTES = 16_384;

export function fieldsOf(path: string, more: Fields = []): Fields {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "test"],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
    ...more,
  ];
}

/** HEADERS of a call; its DATA is still to come. */
export function head(stream: number, path: string, more: Fields = []): Uint8Array {
  return frame(HEADERS, END_HEADERS, stream, literals(fieldsOf(path, more)));
}

/** DATA in as many frames as it needs. */
export function data(stream: number, payload: Uint8Array, ends = false): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < payload.length; at += FRAME_BYTES) {
    const isLast = at + FRAME_BYTES >= payload.length;
    frames.push(frame(DATA, ends && isLast ? END_STREAM : 0, stream, payload.subarray(at, at + FRAME_BYTES)));
  }
  return concat(frames);
}

/** A whole unary call. */
export function call(stream: number, path: string, message = new Uint8Array(0), more: Fields = []) {
  return concat([head(stream, path, more), data(stream, grpcMessage(message), true)]);
}

/** Whether a frame ends a stream, by an answer or a reset. */
export function isEnd(stream: number): (frame: Arrived) => boolean {
  return ({ type, flags, stream: of }) =>
    of === stream &&
    (type === RST_STREAM || ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0));
}

export function isGoAway({ type }: Arrived): boolean {
  return type === GOAWAY;
}

/** Outcome of a call: "grpc-status 0", "RST_STREAM 7", "GOAWAY 11", or "nothing". */
export async function outcome(client: RawClient, stream: number): Promise<string> {
  const ends = isEnd(stream);
  const last = (await client.until((frame) => ends(frame) || isRefusal(frame))).at(-1);
  if (last && isRefusal(last)) return `GOAWAY ${readUint32(last.payload, 4)}`;
  if (!last || !ends(last)) return "nothing";
  if (last.type === RST_STREAM) return `RST_STREAM ${readUint32(last.payload, 0)}`;
  return `grpc-status ${last.fields?.get("grpc-status")}`;
}

/** Whether a frame ends the connection for a violation; a graceful GOAWAY has NO_ERROR. */
function isRefusal({ type, payload }: Arrived): boolean {
  return type === GOAWAY && readUint32(payload, 4) !== 0;
}
