/** SQL instrumentation: name, duration and batch size, never statement texts or values. */
import { integer } from "./integer.ts";
import { isMetering, record, secondsSince } from "./metrics.ts";
import { type Attributes, errorType, inSpan, isTracing, SpanKind } from "./spans.ts";

export interface SqlSettings {
  /** PostgreSQL's name, such as SELECT; TRANSACTION for a whole transaction. */
  operation: string;
  /** Called SQL function. */
  procedure?: string;
  attributes?: Attributes;
  /** Expected errors, which are not failures of the database. */
  expects?: (error: unknown) => boolean;
}

export async function instrumentSql<T>(settings: SqlSettings, work: () => Promise<T>): Promise<T> {
  if (!isTracing && !isMetering) return await work();
  const { operation, procedure, attributes, expects = () => false } = settings;
  const nameAttributes = {
    "db.system.name": "postgresql",
    "db.operation.name": operation,
    ...(procedure === undefined ? {} : { "db.stored_procedure.name": procedure }),
  };
  const name = procedure === undefined ? operation : `${operation} ${procedure}`;
  const span = { kind: SpanKind.CLIENT, attributes: { ...nameAttributes, ...attributes }, expects };
  const started = performance.now();
  let failure: Attributes = {};
  return await inSpan(name, span, async () => {
    try {
      return await work();
    } catch (error) {
      if (!expects(error)) failure = { "error.type": errorType(error) };
      throw error;
    } finally {
      record("db.client.operation.duration", secondsSince(started), { ...nameAttributes, ...failure });
    }
  });
}

/**
 * Instruments a statement that looks up many keys at once. Its span belongs to the trace of the first key; the batch
 * size counts all of them.
 *
 * @param procedure the called SQL function
 * @param server attributes of the database server
 */
export function instrumentLookup<Question, Answer>(
  procedure: string,
  ask: (questions: readonly Question[]) => Promise<Answer[]>,
  server: Attributes = {},
): (questions: readonly Question[]) => Promise<Answer[]> {
  if (!isTracing && !isMetering) return ask;
  return async (questions) => {
    record("customer_service.lookup.batch.size", questions.length, { "db.stored_procedure.name": procedure });
    const attributes = { ...server, "db.operation.batch.size": integer(questions.length) };
    return await instrumentSql({ operation: "SELECT", procedure, attributes }, () => ask(questions));
  };
}
