/** SQL as telemetry sees it: by name, how long and how much at once, never with its text or values. */
import { metering, record, secondsSince } from "./metrics.ts";
import { type Attributes, errorType, inSpan, SpanKind, tracing } from "./spans.ts";

export interface SqlSettings {
  /** As PostgreSQL calls it: SELECT; or TRANSACTION for a whole one. */
  operation: string;
  /** The function that is called. */
  procedure?: string;
  attributes?: Attributes;
  /** Errors that have nothing to do with the database. */
  expects?: (error: unknown) => boolean;
}

export async function watchSql<T>(settings: SqlSettings, work: () => Promise<T>): Promise<T> {
  if (!tracing && !metering) return await work();
  const { operation, procedure, attributes, expects = () => false } = settings;
  const named = {
    "db.system.name": "postgresql",
    "db.operation.name": operation,
    ...(procedure === undefined ? {} : { "db.stored_procedure.name": procedure }),
  };
  const name = procedure === undefined ? operation : `${operation} ${procedure}`;
  const span = { kind: SpanKind.CLIENT, attributes: { ...named, ...attributes }, expects };
  const started = performance.now();
  let failure: Attributes = {};
  return await inSpan(name, span, async () => {
    try {
      return await work();
    } catch (error) {
      if (!expects(error)) failure = { "error.type": errorType(error) };
      throw error;
    } finally {
      record("db.client.operation.duration", secondsSince(started), { ...named, ...failure });
    }
  });
}

/**
 * A statement that answers many questions at once, watched. Its span stands under the question that was asked first:
 * the others are as many as its batch size says.
 *
 * @param procedure the function that it calls
 */
export function watchLookup<Question, Answer>(
  procedure: string,
  ask: (questions: readonly Question[]) => Promise<Answer[]>,
): (questions: readonly Question[]) => Promise<Answer[]> {
  if (!tracing && !metering) return ask;
  return async (questions) => {
    record("customer_service.lookup.batch.size", questions.length, { "db.stored_procedure.name": procedure });
    const attributes = { "db.operation.batch.size": questions.length };
    return await watchSql({ operation: "SELECT", procedure, attributes }, () => ask(questions));
  };
}
