/** gRPC calls as telemetry sees them, those that are answered here and those that are made: by method and status. */
import { metering, record, secondsSince } from "./metrics.ts";
import { openSpan, SpanKind, SpanStatusCode, tracing } from "./spans.ts";

const STATUS = "rpc.response.status_code";

/** The statuses that are a server's own failure, by the conventions for gRPC; for who calls, all but OK are failures. */
const FAILURES = new Set([
  "UNKNOWN",
  "DEADLINE_EXCEEDED",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
]);

export interface ServedMethod<Call> {
  /** With its service: "io.shopstar.customer.v1.CustomerService/GetCustomerGroups". */
  method: string;
  /** What the caller says about its trace. */
  traceparent: (call: Call) => string | undefined;
  /** The name of the status with which a call has failed. */
  status: (error: unknown) => string;
}

/** Records a span and the duration of each call of a method; returns `answer` itself where telemetry is off. */
export function watchServed<Call, Request, Answer>(
  { method, traceparent, status }: ServedMethod<Call>,
  answer: (call: Call, request: Request) => Promise<Answer>,
): (call: Call, request: Request) => Promise<Answer> {
  if (!tracing && !metering) return answer;
  const attributes = { "rpc.system.name": "grpc", "rpc.method": method };
  return async (call, request) => {
    const started = performance.now();
    const { span, within } = openSpan(method, {
      kind: SpanKind.SERVER,
      attributes,
      parent: traceparent(call),
    });
    let told: Record<string, string> = { [STATUS]: "OK" };
    try {
      return await within(() => answer(call, request));
    } catch (error) {
      const name = status(error);
      told = { [STATUS]: name, "error.type": name };
      if (FAILURES.has(name)) span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.setAttributes(told);
      span.end();
      record("rpc.server.call.duration", secondsSince(started), { ...attributes, ...told });
    }
  };
}

export interface WatchedCall {
  /** Begins the call, so that it carries the trace along. */
  within<T>(begin: () => T): T;
  /** @param status its name; `failure`: what that means here */
  end(status: string, failure?: string): void;
}

/** @param peer the service that is called */
export function watchCall(method: string, peer: string): WatchedCall {
  const attributes = { "rpc.system.name": "grpc", "rpc.method": method, "customer_service.peer": peer };
  const started = performance.now();
  const { span, within } = openSpan(method, { kind: SpanKind.CLIENT, attributes });
  return {
    within,
    end(status, failure) {
      const told = { [STATUS]: status, ...(status === "OK" ? {} : { "error.type": failure ?? status }) };
      if (status !== "OK") span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttributes(told);
      span.end();
      record("rpc.client.call.duration", secondsSince(started), { ...attributes, ...told });
    },
  };
}
