/**
 * Spans: what the service does, for whoever collects traces. Deno makes and exports them when OTEL_DENO is true;
 * otherwise nothing here does anything. No attribute, name or message is ever a personal value.
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

/** Whether anybody collects spans; Deno decides that as the process starts. */
export const tracing = !(trace.getTracerProvider() instanceof ProxyTracerProvider);

const tracer = trace.getTracer("customer-service");
const INERT = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

export interface SpanSettings {
  kind?: SpanKind;
  attributes?: Attributes;
  /** Where it belongs, as a traceparent; absent: under the active span. */
  parent?: string | undefined;
  /** Other spans that it has to do with. */
  links?: readonly string[];
  /** Errors that are answers rather than failures. */
  expects?: (error: unknown) => boolean;
}

/**
 * Runs work as a span, which is the active one for as long. A failure is noted by its code or class: messages may
 * quote what they are about.
 *
 * @param name one of few, whatever the work is about
 */
export async function inSpan<T>(
  name: string,
  settings: SpanSettings,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  if (!tracing) return await work(INERT);
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

/** A span whose end is the caller's affair, and how something begins inside of it. */
export function openSpan(name: string, settings: SpanSettings) {
  const { kind = SpanKind.INTERNAL, attributes = {}, parent, links = [] } = settings;
  const above = parent === undefined ? context.active() : contextOf(parent);
  const span = tracer.startSpan(name, { kind, attributes, links: links.map(linkTo) }, above);
  const inside = trace.setSpan(above, span);
  return { span, within: <T>(begin: () => T): T => context.with(inside, begin) };
}

/** A span for something that has just ended. */
export function addSpan(
  name: string,
  { kind = SpanKind.INTERNAL, attributes = {}, parent, links = [] }: SpanSettings,
  startTime: Date,
): void {
  if (!tracing) return;
  const above = parent === undefined ? context.active() : contextOf(parent);
  tracer.startSpan(name, { kind, attributes, links: links.map(linkTo), startTime }, above).end();
}

/** The traceparent of the active span; undefined without one. */
export function activeTraceparent(): string | undefined {
  if (!tracing) return undefined;
  const active = trace.getActiveSpan()?.spanContext();
  return active &&
    `00-${active.traceId}-${active.spanId}-${active.traceFlags.toString(16).padStart(2, "0")}`;
}

/** A callback for something that calls it at a time of its own, in the trace of now. */
export function inThisTrace<T extends (...args: never[]) => unknown>(callback: T): T {
  return tracing ? context.bind(context.active(), callback) : callback;
}

/** An error's code, which DomainError, PostgreSQL and sockets have, or its class. */
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
