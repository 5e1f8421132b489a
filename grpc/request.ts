/** Request headers, parsed once for all calls that have the same ones. */
import type { Method } from "./call.ts";
import type { HeaderList } from "./hpack/mod.ts";
import type { RequestHead } from "./http2/header_rules.ts";
import { ACCEPTED_ENCODINGS, type Encoding, isEncoding } from "./messages.ts";
import { Metadata } from "./metadata.ts";
import { GrpcError } from "./status.ts";
import { parseTimeout } from "./timeout.ts";

/** A request that cannot be a gRPC call: answered with an HTTP status and a sentence. */
export interface HttpRefusal {
  status: 405 | 415;
  text: string;
}

export interface GrpcRequest {
  path: string;
  metadata: Metadata;
  /** Milliseconds; undefined when the caller waits without end. */
  timeoutMs: number | undefined;
  encoding: Encoding | undefined;
  /** The method, or why there is none. */
  method: Method | GrpcError;
  /** Added to the response headers. */
  headers: HeaderList;
}

export function readRequest(
  { method, path }: RequestHead,
  list: HeaderList,
  methods: ReadonlyMap<string, Method>,
): GrpcRequest | HttpRefusal {
  const metadata = new Metadata(list);
  if (!isGrpc(metadata.get("content-type"))) {
    return { status: 415, text: "This port speaks gRPC: content-type must be application/grpc.\n" };
  }
  if (method !== "POST") return { status: 405, text: "gRPC calls are POST requests.\n" };
  const request: GrpcRequest = {
    path,
    metadata,
    timeoutMs: undefined,
    encoding: undefined,
    method: methods.get(path) ?? new GrpcError("UNIMPLEMENTED", "Cannot find a method of this name"),
    headers: [],
  };
  const timeout = metadata.get("grpc-timeout");
  if (timeout !== undefined) {
    request.timeoutMs = parseTimeout(timeout);
    if (request.timeoutMs === undefined) {
      request.method = new GrpcError("INTERNAL", "Cannot read grpc-timeout: it must be digits and a unit");
    }
  }
  const encoding = metadata.get("grpc-encoding");
  if (encoding === undefined || encoding === "identity") return request;
  if (isEncoding(encoding)) request.encoding = encoding;
  else {
    request.method = new GrpcError(
      "UNIMPLEMENTED",
      `Cannot read the message: grpc-encoding must be one of ${ACCEPTED_ENCODINGS}`,
    );
    request.headers = ["grpc-accept-encoding", ACCEPTED_ENCODINGS];
  }
  return request;
}

/** `application/grpc`, and with the message format that is not looked at; not `application/grpc-web`. */
function isGrpc(contentType: string | undefined): boolean {
  return contentType === "application/grpc" ||
    /^application\/grpc(?:\+proto)? *(?:;|$)/i.test(contentType ?? "");
}
