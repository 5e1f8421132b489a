/** Requests as frames on stream 1, good and bad, for comparing servers. */
import { gzipSync } from "node:zlib";
import {
  concat,
  DATA,
  END_HEADERS,
  END_STREAM,
  type Fields,
  frame,
  grpcMessage,
  HEADERS,
  literals,
} from "../attack/frames.ts";
import { ECHO_SERVICE } from "./echo_service.ts";

const UNARY = `${ECHO_SERVICE}Unary`;
const MESSAGE = grpcMessage(new TextEncoder().encode("hello"));

const PSEUDO: Fields = [[":method", "POST"], [":scheme", "http"], [":path", UNARY], [":authority", "x"]];
const TYPE: Fields = [["content-type", "application/grpc"]];
const TE: Fields = [["te", "trailers"]];

function head(fields: Fields, ends = false): Uint8Array {
  return frame(HEADERS, END_HEADERS | (ends ? END_STREAM : 0), 1, literals(fields));
}

function data(payload: Uint8Array, ends = true): Uint8Array {
  return frame(DATA, ends ? END_STREAM : 0, 1, payload);
}

/** A call of `Unary` with more header fields, or with others for the whole head. */
function call(
  body: Uint8Array = MESSAGE,
  { more = [] as Fields, fields = [...PSEUDO, ...TYPE, ...TE] as Fields } = {},
) {
  return concat([head([...fields, ...more]), data(body)]);
}

function withPseudo(name: string, value: string): Uint8Array {
  return call(MESSAGE, {
    fields: [...PSEUDO.map(([key, old]) => [key, key === name ? value : old] as const), ...TYPE, ...TE],
  });
}

function withType(value: string): Uint8Array {
  return call(MESSAGE, { fields: [...PSEUDO, ["content-type", value], ...TE] });
}

function withHeader(name: string, value: string, body = MESSAGE): Uint8Array {
  return call(body, { more: [[name, value]] });
}

const text = new TextEncoder().encode("x".repeat(1_000));

export const REQUESTS: Record<string, Uint8Array> = {
  "a good call": call(),
  "an empty message": call(grpcMessage()),
  "a message of 10 KB in two frames": concat([
    head([...PSEUDO, ...TYPE, ...TE]),
    data(grpcMessage(new Uint8Array(10_000)).subarray(0, 7_000), false),
    data(grpcMessage(new Uint8Array(10_000)).subarray(7_000)),
  ]),
  "a prefix cut in the middle": concat([
    head([...PSEUDO, ...TYPE, ...TE]),
    data(MESSAGE.subarray(0, 3), false),
    data(MESSAGE.subarray(3)),
  ]),
  "END_STREAM in an empty DATA": concat([
    head([...PSEUDO, ...TYPE, ...TE]),
    data(MESSAGE, false),
    data(new Uint8Array(0)),
  ]),
  "request trailers": concat([
    head([...PSEUDO, ...TYPE, ...TE]),
    data(MESSAGE, false),
    head([["x-trailer", "1"]], true),
  ]),
  "content-type application/grpc+proto": withType("application/grpc+proto"),
  "content-type application/grpc;charset=utf-8": withType("application/grpc;charset=utf-8"),
  "content-type application/grpc-web": withType("application/grpc-web"),
  "content-type application/json": withType("application/json"),
  "no content-type": call(MESSAGE, { fields: [...PSEUDO, ...TE] }),
  "no te": call(MESSAGE, { fields: [...PSEUDO, ...TYPE] }),
  "te gzip": call(MESSAGE, { fields: [...PSEUDO, ...TYPE, ["te", "gzip"]] }),
  "method GET": withPseudo(":method", "GET"),
  "method GET without a body": head([
    ...PSEUDO.map(([key, old]) => [key, key === ":method" ? "GET" : old] as const),
  ], true),
  "an unknown method": withPseudo(":path", `${ECHO_SERVICE}Missing`),
  "an unknown service": withPseudo(":path", "/echo.v1.Missing/Unary"),
  "a path without a slash": withPseudo(":path", "Unary"),
  "grpc-timeout of 10 s": withHeader("grpc-timeout", "10S"),
  "grpc-timeout that is not a number": withHeader("grpc-timeout", "soon"),
  "grpc-timeout without a unit": withHeader("grpc-timeout", "10"),
  "grpc-timeout below zero": withHeader("grpc-timeout", "-1S"),
  "grpc-timeout of nine digits": withHeader("grpc-timeout", "123456789S"),
  "a message above the limit, announced": call(Uint8Array.of(0, 0, 0x50, 0, 0)),
  "a gzip message": withHeader("grpc-encoding", "gzip", grpcMessage(gzipSync(text), 1)),
  "a gzip message with invalid bytes": withHeader("grpc-encoding", "gzip", grpcMessage(text, 1)),
  "a compressed message without an encoding": call(grpcMessage(text, 1)),
  "an unknown encoding": withHeader("grpc-encoding", "snappy", grpcMessage(text, 1)),
  "an unknown encoding, message not compressed": withHeader("grpc-encoding", "snappy"),
  "a compression flag of 2": call(grpcMessage(text, 2)),
  "bad base64 in a -bin header": withHeader("x-echo-trailing-bin", "!!!not base64!!!"),
  "unpadded base64 in a -bin header": withHeader("x-echo-trailing-bin", "AKv/Cg"),
  "two messages": call(concat([MESSAGE, MESSAGE])),
  "no message, END_STREAM in HEADERS": head([...PSEUDO, ...TYPE, ...TE], true),
  "no message, END_STREAM in DATA": call(new Uint8Array(0)),
  "bytes after the message": call(concat([MESSAGE, Uint8Array.of(1, 2, 3)])),
  "half a message": call(MESSAGE.subarray(0, 8)),
  "half a prefix": call(MESSAGE.subarray(0, 3)),
  "an upper case header name": withHeader("X-Upper", "1"),
  "a connection header": withHeader("connection", "keep-alive"),
  "no :path": call(MESSAGE, { fields: [...PSEUDO.filter(([name]) => name !== ":path"), ...TYPE, ...TE] }),
  "two :path": call(MESSAGE, { fields: [...PSEUDO, [":path", UNARY], ...TYPE, ...TE] }),
  "a pseudo-header after a header": call(MESSAGE, {
    fields: [...PSEUDO.slice(0, 3), ...TYPE, ...TE, [":authority", "x"]],
  }),
  "an unknown pseudo-header": call(MESSAGE, { fields: [...PSEUDO, [":what", "x"], ...TYPE, ...TE] }),
  "no :authority": call(MESSAGE, { fields: [...PSEUDO.slice(0, 3), ...TYPE, ...TE] }),
  "host instead of :authority": call(MESSAGE, {
    fields: [...PSEUDO.slice(0, 3), ["host", "x"], ...TYPE, ...TE],
  }),
  "a right content-length": withHeader("content-length", `${MESSAGE.length}`),
  "a wrong content-length": withHeader("content-length", "3"),
  "a NUL in a header's value": withHeader("x-value", "a\0b"),
  "a line break in a header's value": withHeader("x-value", "a\r\nb"),
  "DATA before HEADERS": data(MESSAGE),
  "HEADERS on stream 0": frame(HEADERS, END_HEADERS | END_STREAM, 0, literals([...PSEUDO, ...TYPE, ...TE])),
};
