/** The gRPC server: with status.ts and reflection.ts, all that knows grpc-js, its callbacks and its types. */
import { type DescMessage, fromBinary, type Message, type MessageShape, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { DomainError } from "../actors/errors.ts";
import type { Admit, Caller, CallEvidence } from "../auth/callers.ts";
import { CustomerService } from "../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import { watchServed } from "../telemetry/rpc.ts";
import { readTraceparent } from "../telemetry/traceparent.ts";
import { type Calls, countCalls } from "./calls.ts";
import type { CallContext, CustomerMethods } from "./contract.ts";
import { listen } from "./listener.ts";
import { createReflection } from "./reflection.ts";
import { statusOf } from "./status.ts";

export interface GrpcOptions {
  /** The address to listen on, "127.0.0.1". */
  bind: string;
  /** 0 takes a free one. */
  port: number;
  /** Whether other processes of the service may listen there too. */
  shared?: boolean;
  /** PEM texts; with it, clients without a certificate of `clientCa` are refused in the handshake. */
  tls?: { certificate: string; key: string; clientCa: string } | undefined;
  admit: Admit<MethodName>;
  methods: CustomerMethods;
  /** Lets a call in and gives what is to be called once it is answered; undefined: there is no room. Absent: always. */
  enter?: () => (() => void) | undefined;
  /** How long a connection is quiet before its caller is asked for a sign of life, and how long that may take. */
  signOfLife?: { everyMs: number; withinMs: number };
}

export type MethodName = Capitalize<keyof CustomerMethods>;

export interface GrpcServer {
  port: number;
  /** What the health service says from now on; NOT_SERVING until told otherwise. */
  setServing(serving: boolean): void;
  /**
   * Stops accepting and waits for the calls under way, but ends what is left after the limit. Whoever has none and does
   * not go is not waited for.
   */
  close(limitMs?: number): Promise<void>;
}

/** A request is a few ids, and at most 2,000 characters of evidence; nobody needs to make us hold more. */
const MAX_REQUEST_BYTES = 16 * 1024;
/** Calls of one connection at a time; its client holds back what goes beyond. */
const MAX_STREAMS = 100;
/** Nothing else tells of a caller whose node is lost: it does not close its connection. */
const SIGN_OF_LIFE = { everyMs: 60_000, withinMs: 20_000 };
const CLOSE_LIMIT_MS = 10_000;
/** How long clients that have been told to go may take for that, when nobody's call is under way any more. */
const LEAVE_MS = 1_000;
const LOOK_MS = 100;

/** @throws {ListenError} the port cannot be had */
export async function serveGrpc(options: GrpcOptions): Promise<GrpcServer> {
  const { everyMs, withinMs } = options.signOfLife ?? SIGN_OF_LIFE;
  const server = new grpc.Server({
    "grpc.max_receive_message_length": MAX_REQUEST_BYTES,
    "grpc.max_concurrent_streams": MAX_STREAMS,
    "grpc.enable_channelz": 0,
    "grpc.keepalive_time_ms": everyMs,
    "grpc.keepalive_timeout_ms": withinMs,
  });
  const calls = countCalls();
  addCustomerService(server, options, calls);
  const health = new HealthImplementation();
  const setServing = (serving: boolean) => {
    for (const service of ["", CustomerService.typeName]) {
      health.setStatus(service, serving ? "SERVING" : "NOT_SERVING");
    }
  };
  setServing(false);
  health.addToServer(server);
  createReflection(CustomerService.file).addToServer(server);
  const injector = server.createConnectionInjector(credentialsOf(options.tls));
  const accept = (socket: Socket) => injector.injectConnection(socket);
  const listener = await listen(options.bind, options.port, accept, options.shared);
  const close = async (limitMs: number) => {
    setServing(false);
    const drained = listener.drained();
    server.tryShutdown(() => {}); // tells every client to go once its calls are answered
    const told = performance.now();
    const look = setInterval(() => {
      const toldMs = performance.now() - told;
      if (toldMs > limitMs || Math.min(toldMs, calls.quietMs()) > LEAVE_MS) listener.cut();
    }, LOOK_MS);
    await drained;
    clearInterval(look);
  };
  let closing: Promise<void> | undefined;
  return {
    port: listener.port,
    setServing,
    close: (limitMs = CLOSE_LIMIT_MS) => closing ??= close(limitMs),
  };
}

const NO_ROOM = new DomainError("RATE_LIMITED", "Cannot take the call: there is too much to do, try again");

function addCustomerService(
  server: grpc.Server,
  { admit, methods, enter = () => () => {} }: GrpcOptions,
  calls: Calls,
): void {
  const definition: Record<string, grpc.MethodDefinition<Buffer, Buffer>> = {};
  const handlers: grpc.UntypedServiceImplementation = {};
  for (const { name, localName, input, output } of CustomerService.methods) {
    const method = methods[localName as keyof CustomerMethods] as AnyMethod;
    const watched = {
      method: `${CustomerService.typeName}/${name}`,
      traceparent: traceparentOf,
      status: nameOf,
    };
    const answer = watchServed(watched, async (call: UnaryCall): Promise<Buffer> => {
      const leave = enter();
      try {
        if (!leave) throw NO_ROOM;
        const caller = await admit(name as MethodName, evidenceOf(call));
        const request = parse(input, call.request) as never;
        const response = await method(request, contextOf(call, caller));
        const bytes = toBinary(output, response);
        return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      } catch (error) {
        throw statusOf(error, name);
      } finally {
        leave?.();
      }
    });
    definition[name] = rawMethod(`/${CustomerService.typeName}/${name}`);
    handlers[name] = (call: UnaryCall, callback: grpc.sendUnaryData<Buffer>) => {
      const end = calls.begin();
      answer(call).then((bytes) => callback(null, bytes), (status) => callback(status)).finally(end);
    };
  }
  server.addService(definition, handlers);
}

/** Any of CustomerMethods; the contract pairs each with the schemas that it is called with. */
type AnyMethod = (request: never, context: CallContext) => Promise<Message>;

type UnaryCall = grpc.ServerUnaryCall<Buffer, Buffer>;

/** Bytes in, bytes out: grpc-js would tell a caller of its malformed message as an error of ours. */
function rawMethod(path: string): grpc.MethodDefinition<Buffer, Buffer> {
  const same = (bytes: Buffer) => bytes;
  const codec = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  return { path, requestStream: false, responseStream: false, ...codec };
}

function parse<Input extends DescMessage>(schema: Input, bytes: Buffer): MessageShape<Input> {
  try {
    return fromBinary(schema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw new DomainError("INVALID_INPUT", `Cannot read the request: no valid ${schema.name}`, { cause });
  }
}

/** The name of what statusOf has made of an error. */
function nameOf(status: unknown): string {
  return grpc.status[(status as ReturnType<typeof statusOf>).code];
}

function traceparentOf(call: UnaryCall): string | undefined {
  return readTraceparent(call.metadata.get("traceparent").map(String)[0]);
}

function contextOf(call: UnaryCall, caller: Caller): CallContext {
  const deadline = Number(call.getDeadline());
  let aborting: AbortController | undefined;
  return {
    caller,
    deadline: Number.isFinite(deadline) ? new Date(deadline) : undefined,
    wanted: () => !call.cancelled && Date.now() < deadline,
    get traceparent() {
      return traceparentOf(call);
    },
    get signal() {
      if (!aborting) {
        const made = aborting = new AbortController();
        if (call.cancelled) made.abort();
        else call.once("cancelled", () => made.abort());
      }
      return aborting.signal;
    },
  };
}

function evidenceOf(call: UnaryCall): CallEvidence {
  return {
    header: (name) => call.metadata.get(name).map(String),
    certificate() {
      const shown = call.getAuthContext().sslPeerCertificate;
      return shown && { raw: shown.raw };
    },
  };
}

function credentialsOf(tls: GrpcOptions["tls"]): grpc.ServerCredentials {
  if (!tls) return grpc.ServerCredentials.createInsecure();
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.certificate) };
  return grpc.ServerCredentials.createSsl(Buffer.from(tls.clientCa), [pair], true);
}
