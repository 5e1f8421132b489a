/** gRPC instrumentation of served methods and of client calls, by method and status. */
import { serverAttributesOf } from "./server_address.ts";
import { isMetering, record, secondsSince } from "./metrics.ts";
import { isTracing, openSpan, SpanKind, SpanStatusCode } from "./spans.ts";

const STATUS = "rpc.response.status_code";

/** Statuses that count as server errors by the gRPC conventions. For clients every status but OK is an error. */
const FAILURES = new Set([
  "UNKNOWN",
  "DEADLINE_EXCEEDED",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
]);

export interface ServedMethod<Call> {
  /** Full name: "io.shopstar.customer.v1.CustomerService/GetCustomerGroups". */
  method: string;
  /** The caller's trace context. */
  traceparent: (call: Call) => string | undefined;
  /** Name of the status of a failed call. */
  status: (error: unknown) => string;
}

/** Records a span and the duration of each call of a method. Returns `answer` unchanged if telemetry is off. */
export function instrumentMethod<Call, Request, Answer>(
  { method, traceparent, status }: ServedMethod<Call>,
  answer: (call: Call, request: Request) => Promise<Answer>,
): (call: Call, request: Request) => Promise<Answer> {
  if (!isTracing && !isMetering) return answer;
  const attributes = { "rpc.system.name": "grpc", "rpc.method": method };
  return async (call, request) => {
    const started = performance.now();
    const { span, within } = openSpan(method, {
      kind: SpanKind.SERVER,
      attributes,
      parent: traceparent(call),
    });
    let outcome: Record<string, string> = { [STATUS]: "OK" };
    try {
      return await within(() => answer(call, request));
    } catch (error) {
      const name = status(error);
      outcome = { [STATUS]: name, "error.type": name };
      if (FAILURES.has(name)) span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.setAttributes(outcome);
      span.end();
      record("rpc.server.call.duration", secondsSince(started), { ...attributes, ...outcome });
    }
  };
}

export interface InstrumentedCall {
  /** Starts the call within its span, so that it propagates the trace. */
  within<T>(begin: () => T): T;
  /** @param status name of the status; @param failure `error.type`, by default the status */
  end(status: string, failure?: string): void;
}

/** Starts the span and the timer of a client call. */
export function instrumentCall(method: string, peer: string, url: URL): InstrumentedCall {
  const attributes = { "rpc.system.name": "grpc", "rpc.method": method, "customer_service.peer": peer };
  const started = performance.now();
  const { span, within } = openSpan(method, {
    kind: SpanKind.CLIENT,
    attributes: { ...attributes, ...serverAttributesOf(url) },
  });
  return {
    within,
    end(status, failure) {
      const outcome = { [STATUS]: status, ...(status === "OK" ? {} : { "error.type": failure ?? status }) };
      if (status !== "OK") span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttributes(outcome);
      span.end();
      record("rpc.client.call.duration", secondsSince(started), { ...attributes, ...outcome });
    },
  };
}
