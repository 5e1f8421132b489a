/** gRPC server in the process of a test, with the methods and the limits of the test. */
import assert from "node:assert/strict";
import { type GrpcServer, type Method, serve, type ServeOptions, type ServerEvent } from "../../grpc/mod.ts";
import { Changes } from "./changes.ts";

export const ECHO = "/test.v1.Test/Echo";
export const STRANGER = "/test.v1.Test/Stranger";
export const HELD = "/test.v1.Test/Held";
export const STREAM = "/test.v1.Test/Stream";

export interface InProcess extends GrpcServer, AsyncDisposable {
  events: ServerEvent[];
  /** Notified of every event. */
  changes: Changes;
}

/**
 * Disposal fails the test if the server reported a defect that the test has not removed from `events`. Limits of new
 * connections are off, because tests open many.
 */
export async function startServer(options: Partial<ServeOptions>): Promise<InProcess> {
  const events: ServerEvent[] = [];
  const changes = new Changes();
  const server = await serve({
    hostname: "127.0.0.1",
    port: 0,
    methods: { [ECHO]: echo, [STRANGER]: stranger },
    ...options,
    limits: { tickMs: 20, newBurst: 100_000, ...options.limits },
    onEvent(event) {
      events.push(event);
      changes.notify();
      options.onEvent?.(event);
    },
  });
  return {
    port: server.port,
    close: server.close,
    get load() {
      return server.load;
    },
    events,
    changes,
    async [Symbol.asyncDispose]() {
      await server.close(0);
      for (const event of events) if (event.type === "defect") assert.fail(event.error as Error);
    },
  };
}

/** Returns its request to anyone, and authenticates every caller. */
export const echo: Method = {
  kind: "unary",
  handle(request, call) {
    call.authenticated();
    return request;
  },
};

/** Returns its request and authenticates no one. */
export const stranger: Method = { kind: "unary", handle: (request) => request };
