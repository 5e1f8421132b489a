/** What telemetry sees of an operation: its type, its name and its errors' codes, never the document or a value. */
import { type ExecutionResult, getOperationAST } from "graphql";
import type { Plugin } from "graphql-yoga";
import { asDomainError } from "../actors/errors.ts";
import { inSpan, SpanKind, SpanStatusCode, tracing } from "../telemetry/spans.ts";

const UNEXPECTED = "INTERNAL_SERVER_ERROR";
/** Every other error is an answer. */
const FAILURES = [UNEXPECTED, "UNAVAILABLE"];
/** Names come from clients. */
const LONGEST_NAME = 100;

/** A span for each operation that is executed. */
export function useSpans(): Plugin {
  if (!tracing) return {};
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const operation = getOperationAST(args.document, args.operationName);
      if (!operation) return;
      const attributes = {
        "graphql.operation.type": operation.operation,
        ...(operation.name && { "graphql.operation.name": operation.name.value.slice(0, LONGEST_NAME) }),
      };
      setExecuteFn((args) =>
        inSpan(operation.operation, { kind: SpanKind.SERVER, attributes }, async (span) => {
          const result: ExecutionResult = await executeFn(args); // there are no subscriptions
          const [error] = result.errors ?? [];
          if (error) {
            const code = asDomainError(error.originalError)?.code ?? error.extensions.code ?? UNEXPECTED;
            span.setAttribute("error.type", String(code));
            if (FAILURES.includes(String(code))) span.setStatus({ code: SpanStatusCode.ERROR });
          }
          return result;
        })
      );
    },
  };
}
