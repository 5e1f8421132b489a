/** Header blocks of HTTP and gRPC requests, and the preface of an HTTP/2 connection. */
import {
  concat,
  END_HEADERS,
  END_STREAM,
  type Fields,
  frame,
  HEADERS,
  literals,
  PREFACE,
  settings,
} from "../frames.ts";

export const OPENING = concat([PREFACE, settings()]);

export const HEALTH_CHECK = "/grpc.health.v1.Health/Check";
export const HEALTH_WATCH = "/grpc.health.v1.Health/Watch";
export const REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
export const GROUPS = "/io.shopstar.customer.v1.CustomerService/GetCustomerGroups";

export function getFields(path: string): Fields {
  return [[":method", "GET"], [":scheme", "http"], [":path", path], [":authority", "x"]];
}

export function postFields(path: string): Fields {
  const pseudo = [[":method", "POST"], [":scheme", "http"], [":path", path], [":authority", "x"]] as const;
  return [...pseudo, ["content-type", "application/json"]];
}

export function grpcFields(path: string, more: Fields = []): Fields {
  const pseudo = [[":method", "POST"], [":scheme", "http"], [":path", path], [":authority", "x"]] as const;
  return [...pseudo, ["content-type", "application/grpc"], ["te", "trailers"], ...more];
}

/** A complete HEADERS frame. @param ends whether it ends the stream */
export function headers(stream: number, fields: Fields, ends = false): Uint8Array {
  return frame(HEADERS, END_HEADERS | (ends ? END_STREAM : 0), stream, literals(fields));
}
