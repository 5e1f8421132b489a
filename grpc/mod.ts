/** gRPC server and client on an HTTP/2 of their own, for Deno. README.md has an example. */
export type { Call, Method, Methods, StreamMethod, UnaryMethod } from "./call.ts";
export { type CallOptions, Channel, type ChannelOptions } from "./channel.ts";
export { NotGrpcError } from "./client_call.ts";
export { pathOf, readMessage, streamMethod, unaryMethod, writeMessage } from "./codec.ts";
export { createHealth, type HealthService } from "./health.ts";
export { Health } from "./gen/grpc/health/v1/health_pb.ts";
export type { Peer } from "./http2/byte_stream.ts";
export { ListenError, type TlsOptions } from "./listener.ts";
export { MessageTooLargeError } from "./messages.ts";
export { Metadata } from "./metadata.ts";
export { createReflection } from "./lazy_reflection.ts";
export { type GrpcServer, serve, type ServeOptions, type ServerEvent } from "./server.ts";
export { type ErrorInfo, type FieldViolation, GrpcError, STATUS, type StatusName } from "./status.ts";
