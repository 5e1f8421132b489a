/** gRPC server: CustomerService, health and reflection on the transport of `grpc/`. */
import { getLogger } from "@logtape/logtape";
import type { RefusalLog } from "../actors/refusal_log.ts";
import { DomainError } from "../domain/errors.ts";
import type { Admit, Caller, CallEvidence, ClientCertificate } from "../auth/callers.ts";
import { describeError } from "../lib/error_description.ts";
import {
  type Call,
  createHealth,
  createReflection,
  GrpcError,
  Health,
  type Method,
  type Methods,
  pathOf,
  serve,
  type ServeOptions,
  type ServerEvent,
  type StatusName,
  type TlsOptions,
} from "../grpc/mod.ts";
import { CustomerService } from "../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import { instrumentMethod } from "../telemetry/rpc.ts";
import { newTraceparent, readTraceparent, traceIdOf } from "../lib/trace_context.ts";
import { activeTraceparent } from "../telemetry/spans.ts";
import { type Codec, CODECS } from "./codecs.ts";
import type { CallContext, CustomerMethods } from "./contract.ts";
import { reportRefusedCall } from "./refused_calls.ts";
import { ERROR_DOMAIN, toGrpcError } from "./status.ts";

export interface GrpcOptions {
  /** Address to listen on, "127.0.0.1". */
  bind: string;
  /** 0 selects a free port. */
  port: number;
  /** Whether other processes of the service may listen there too. */
  shared?: boolean;
  /**
   * PEM texts; with `clientCa`, clients without a certificate of it are refused in the handshake. Absent: no
   * TLS.
   */
  tls?: TlsOptions | undefined;
  admit: Admit<MethodName>;
  /** A method that is absent is UNIMPLEMENTED. */
  methods: Partial<CustomerMethods>;
  /** Audit of refused calls; absent: they are not recorded. */
  refusals?: RefusalLog;
  /**
   * Acquires a slot for a call and returns its release function; undefined: all are taken. Absent: no limit.
   */
  enter?: () => (() => void) | undefined;
  /** Limits of connections that differ from the defaults. */
  limits?: ServeOptions["limits"] | undefined;
}

export type MethodName = Capitalize<keyof CustomerMethods>;

export interface CustomerGrpcServer {
  port: number;
  /** Sets the status of the health service; NOT_SERVING at first. */
  setServing(serving: boolean): void;
  /** Stops accepting and waits for running calls, but ends the remaining ones after the limit. */
  close(limitMs?: number): Promise<void>;
}

/** A request contains a few IDs, and at most 2,000 characters of evidence. */
const MAX_REQUEST_BYTES = 16 * 1024;

const log = getLogger(["customer-service", "rpc"]);

/** @throws {ListenError} the port cannot be listened on */
export async function serveGrpc(options: GrpcOptions): Promise<CustomerGrpcServer> {
  const health = createHealth([CustomerService.typeName]);
  const server = await serve({
    hostname: options.bind,
    port: options.port,
    reusePort: options.shared,
    tls: options.tls,
    methods: {
      ...customerMethods(options),
      ...health.methods,
      ...createReflection([CustomerService, Health]),
    },
    messageBytes: MAX_REQUEST_BYTES,
    limits: options.limits,
    toGrpcError,
    errorDomain: ERROR_DOMAIN,
    onEvent: logEvent,
  });
  return {
    port: server.port,
    setServing: health.setServing,
    close(limitMs) {
      health.setServing(false);
      return server.close(limitMs);
    },
  };
}

const NO_ROOM = new DomainError("RATE_LIMITED", "Cannot accept the call: there is too much to do, try again");

function customerMethods({ admit, methods, refusals, enter = () => () => {} }: GrpcOptions): Methods {
  const served: Record<string, Method> = {};
  for (const method of CustomerService.methods) {
    const name = method.name as MethodName;
    const localName = method.localName as keyof CustomerMethods;
    const codec = CODECS[localName] as Codec<never, unknown>;
    const answer = methods[localName] as
      | ((request: never, context: CallContext) => Promise<unknown>)
      | undefined;
    if (!answer) continue;
    const watched = {
      method: pathOf(method).slice(1),
      traceparent: traceparentOf,
      status: (error: unknown): StatusName => (error as GrpcError).status,
    };
    const handle = instrumentMethod(watched, async (call: Call, bytes: Uint8Array): Promise<Uint8Array> => {
      const leave = enter();
      if (!leave) throw toGrpcError(NO_ROOM, name);
      let caller: Caller | undefined;
      try {
        const admitted = admit(name, new Evidence(call));
        // Waiting for what is there already would delay the call by a turn.
        caller = admitted instanceof Promise ? await admitted : admitted;
        call.authenticated();
        return codec.write(await answer(readRequest(codec, bytes), new Context(call, caller)));
      } catch (error) {
        const traceparent = activeTraceparent() ?? traceparentOf(call) ?? newTraceparent();
        if (refusals) await reportRefusedCall(refusals, error, { method, bytes, caller, traceparent });
        throw toGrpcError(error, name, traceIdOf(traceparent));
      } finally {
        leave();
      }
    });
    served[pathOf(method)] = { kind: "unary", handle: (bytes, call) => handle(call, bytes) };
  }
  return served;
}

/** @throws {DomainError} INVALID_INPUT */
function readRequest<Request>(codec: Codec<Request, unknown>, bytes: Uint8Array): Request {
  try {
    return codec.read(bytes);
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
    throw new DomainError("INVALID_INPUT", error.message, { cause: error });
  }
}

function traceparentOf({ metadata }: Call): string | undefined {
  return readTraceparent(metadata.get("traceparent"));
}

/** Reads from the call what a method needs, when it needs it. */
class Context implements CallContext {
  readonly #call: Call;

  constructor(call: Call, readonly caller: Caller) {
    this.#call = call;
  }

  get deadline(): Date | undefined {
    const { deadline } = this.#call;
    return deadline === undefined ? undefined : new Date(deadline);
  }

  readonly wanted = () => this.#call.isWanted;

  get traceparent(): string | undefined {
    return traceparentOf(this.#call);
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}

class Evidence implements CallEvidence {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  get address(): string {
    return this.#call.peer.address;
  }

  header(name: string): readonly string[] {
    return this.#call.metadata.getAll(name);
  }

  certificate(): ClientCertificate | undefined {
    const { certificate } = this.#call.peer;
    return certificate && { raw: certificate };
  }
}

function logEvent(event: ServerEvent): void {
  switch (event.type) {
    case "accept_failed":
      return log.error("Cannot accept gRPC connections: {error}", { error: describeError(event.error) });
    case "accept_recovered":
      return log.info("Accepts gRPC connections again");
    case "refused":
      return log.warn("Refused {refused} gRPC connections; {connections} are open", {
        refused: event.refused,
        connections: event.connections,
      });
    case "defect":
      return log.error("Ended a gRPC connection after an error of this program: {error}", {
        error: describeError(event.error),
      });
  }
}
