/**
 * Spans of traces. Deno creates and exports them if OTEL_DENO is true; otherwise these functions do nothing. No
 * attribute, name or message may be a personal value.
 */
import {
  type Attributes,
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

export { type Attributes, type Span, SpanKind, SpanStatusCode };

/** Whether spans are exported. Deno decides this when the process starts. */
export const isTracing = !(trace.getTracerProvider() instanceof ProxyTracerProvider);

const tracer = trace.getTracer("customer-service");
const INERT = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

export interface SpanSettings {
  kind?: SpanKind;
  attributes?: Attributes;
  /** Parent span as a traceparent; by default the active span. */
  parent?: string | undefined;
  /** Traceparents of related spans. */
  links?: readonly string[];
  /** Expected errors, which do not mark the span as failed. */
  expects?: (error: unknown) => boolean;
}

/**
 * Runs work within an active span. A failure is recorded by its code or class, because messages may quote values.
 *
 * @param name of low cardinality, without IDs
 */
export async function inSpan<T>(
  name: string,
  settings: SpanSettings,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  if (!isTracing) return await work(INERT);
  const { span, within } = openSpan(name, settings);
  try {
    return await within(() => work(span));
  } catch (error) {
    span.setAttribute("error.type", errorType(error));
    if (!settings.expects?.(error)) span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/** Starts a span that the caller must end, and returns a function to run code within it. */
export function openSpan(name: string, settings: SpanSettings) {
  const { kind = SpanKind.INTERNAL, attributes = {}, parent, links = [] } = settings;
  const parentContext = parent === undefined ? context.active() : contextOf(parent);
  const span = tracer.startSpan(name, { kind, attributes, links: links.map(linkTo) }, parentContext);
  const inside = trace.setSpan(parentContext, span);
  return { span, within: <T>(begin: () => T): T => context.with(inside, begin) };
}

/** Adds a span of an operation that has just ended. */
export function addSpan(
  name: string,
  { kind = SpanKind.INTERNAL, attributes = {}, parent, links = [] }: SpanSettings,
  startTime: Date,
): void {
  if (!isTracing) return;
  const parentContext = parent === undefined ? context.active() : contextOf(parent);
  tracer.startSpan(name, { kind, attributes, links: links.map(linkTo), startTime }, parentContext).end();
}

/** The traceparent of the active span; undefined without one. */
export function activeTraceparent(): string | undefined {
  if (!isTracing) return undefined;
  const active = trace.getActiveSpan()?.spanContext();
  return active &&
    `00-${active.traceId}-${active.spanId}-${active.traceFlags.toString(16).padStart(2, "0")}`;
}

/** Binds a callback to the current trace context. */
export function inThisTrace<T extends (...args: never[]) => unknown>(callback: T): T {
  return isTracing ? context.bind(context.active(), callback) : callback;
}

/** An error's code (DomainError, PostgreSQL, sockets) or else its class. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return "_OTHER";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

function contextOf(traceparent: string): Context {
  return trace.setSpanContext(ROOT_CONTEXT, spanContextOf(traceparent));
}

function linkTo(traceparent: string) {
  return { context: spanContextOf(traceparent) };
}

function spanContextOf(traceparent: string) {
  const [, traceId = "", spanId = "", flags = "0"] = traceparent.split("-");
  return { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true };
}
