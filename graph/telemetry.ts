/** Telemetry of an operation: its type and its errors' codes, never the document, its name or a value. */
import { type ExecutionResult, getOperationAST } from "graphql";
import type { Plugin } from "graphql-yoga";
import { isMetering, record, secondsSince } from "../telemetry/metrics.ts";
import { inSpan, isTracing, SpanKind, SpanStatusCode } from "../telemetry/spans.ts";
import { codeOf, UNEXPECTED } from "./errors.ts";

/** Codes of failures; every other error is a regular answer. */
const FAILURES = [UNEXPECTED, "UNAVAILABLE"];
/**
 * Records a span and a duration for each executed operation. Neither has the operation's name: clients choose it, and
 * it may be the name of a person.
 */
export function useTelemetry(): Plugin {
  if (!isTracing && !isMetering) return {};
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const operation = getOperationAST(args.document, args.operationName);
      if (!operation) return;
      const attributes = { "graphql.operation.type": operation.operation };
      setExecuteFn(async (args) => {
        const started = performance.now();
        let outcome = UNEXPECTED;
        try {
          return await inSpan(operation.operation, { kind: SpanKind.SERVER, attributes }, async (span) => {
            const result: ExecutionResult = await executeFn(args); // there are no subscriptions
            outcome = outcomeOf(result);
            if (outcome !== "OK") span.setAttribute("error.type", outcome);
            if (FAILURES.includes(outcome)) span.setStatus({ code: SpanStatusCode.ERROR });
            return result;
          });
        } finally {
          record("customer_service.graphql.operation.duration", secondsSince(started), {
            ...attributes,
            "customer_service.outcome": outcome,
          });
        }
      });
    },
  };
}

/** Returns one code for several errors: that of a failure of this service, if there is one. */
function outcomeOf({ errors = [] }: ExecutionResult): string {
  const codes = errors.map(codeOf);
  return codes.find((code) => FAILURES.includes(code)) ?? codes[0] ?? "OK";
}
