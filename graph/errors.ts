/** Errors of a response: domain and GraphQL errors without values; every other error is masked. */
import { getLogger } from "@logtape/logtape";
import { GraphQLError, type GraphQLErrorExtensions } from "graphql";
import type { Plugin } from "graphql-yoga";
import { type ErrorCode } from "../domain/errors.ts";
import { asDomainError } from "../db/errors.ts";
import { refusalHeaders } from "../auth/refusals.ts";
import { describeError } from "../lib/error_description.ts";
import { traceIdOf } from "../lib/trace_context.ts";
import { withoutQuotes, withSuggestion } from "./quotes.ts";

const CODES: Record<ErrorCode, string> = {
  INVALID_INPUT: "BAD_USER_INPUT",
  UNAUTHENTICATED: "UNAUTHENTICATED",
  FORBIDDEN: "FORBIDDEN",
  RECENT_SIGN_IN_REQUIRED: "RECENT_SIGN_IN_REQUIRED",
  NOT_FOUND: "NOT_FOUND",
  ALREADY_EXISTS: "ALREADY_EXISTS",
  REFUSED_IN_STATE: "REFUSED_IN_STATE",
  CONFLICT: "CONFLICT",
  RATE_LIMITED: "RATE_LIMITED",
  UNAVAILABLE: "UNAVAILABLE",
};
/** GraphQL's own errors about variables and arguments have no code. */
const REFUSED = CODES.INVALID_INPUT;

export const UNEXPECTED = "INTERNAL_SERVER_ERROR";

/** Returns the code of an error that the caller may see. */
export function codeOf(error: unknown): string {
  const cause = innermost(error);
  const domain = asDomainError(cause);
  if (domain) return CODES[domain.code];
  return isRefusal(error, cause) ? String(error.extensions.code ?? REFUSED) : UNEXPECTED;
}

/** Converts any error into one for the response, and logs unexpected ones. */
export function maskError(error: unknown): GraphQLError {
  const cause = innermost(error);
  const domain = asDomainError(cause);
  if (domain) {
    // Yoga sends these as headers and omits them from the body. The status stays 200: another field may have
    // data.
    const http = domain.code === "UNAUTHENTICATED" && { http: { headers: refusalHeaders(domain) } };
    const fields = domain.fields.length > 0 && { fields: domain.fields };
    return retell(error, domain.message, { code: CODES[domain.code], ...fields, ...http });
  }
  if (isRefusal(error, cause)) return retellRefusal(error);

  const place = error instanceof GraphQLError ? error.path?.join(".") : undefined;
  const reason = withoutQuotes(describeError(cause));
  getLogger(["customer-service", "graph"]).error(`Cannot answer ${place ?? "a request"}: ${reason}`);
  return retell(error, "Something went wrong on our side", {
    code: UNEXPECTED,
    ...(place === undefined ? { http: { status: 500 } } : {}),
  });
}

/**
 * Yoga masks the errors of every phase but this one.
 *
 * @param suggests keeps suggestions of names of the schema
 */
export function useMaskedValidation({ suggests }: { suggests: boolean }): Plugin {
  const redact = suggests ? withSuggestion : withoutQuotes;
  return {
    onValidate: () => ({ valid, result, setResult }) => {
      if (valid) return;
      const code = "GRAPHQL_VALIDATION_FAILED";
      setResult(result.map((error: Error) => retell(error, redact(error.message), { code })));
    },
  };
}

/** Adds the ID of the request's trace to each error. */
export function useTraceIds(traceparentOf: (request: Request) => string): Plugin {
  return {
    onResultProcess({ request, result, setResult }) {
      if (Symbol.asyncIterator in result || Array.isArray(result) || !result.errors?.length) return;
      const traceparent = traceparentOf(request);
      setResult({ ...result, errors: result.errors.map((error) => withTraceId(error, traceparent)) });
    },
  };
}

/** Body of a response that a middleware sends itself. */
export function errorBody(error: unknown, traceparent: string): { errors: GraphQLError[] } {
  return { errors: [withTraceId(maskError(error), traceparent)] };
}

function withTraceId(error: GraphQLError, traceparent: string): GraphQLError {
  return retell(error, error.message, { ...error.extensions, traceId: traceIdOf(traceparent) });
}

function innermost(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? innermost(error.originalError) : error;
}

/**
 * Returns whether GraphQL refuses the caller's input. An error of a field, which has a path, is such a
 * refusal when it points into the document, at an argument; without that, our answer does not fit its type.
 */
function isRefusal(error: unknown, cause: unknown): error is GraphQLError {
  return error instanceof GraphQLError && cause instanceof GraphQLError &&
    (error.path === undefined || cause.nodes !== undefined);
}

function retellRefusal(error: GraphQLError): GraphQLError {
  // Yoga adds the JSON parser's error there, which quotes the body.
  const { originalError: _, ...own } = error.extensions;
  const extensions: GraphQLErrorExtensions = { code: REFUSED, ...own };
  // A body that is not a GraphQL request is a bad request in every content type.
  if (extensions.code === "BAD_REQUEST") extensions.http = { ...extensions.http, spec: false };
  return retell(error, withoutQuotes(error.message), extensions);
}

function retell(error: unknown, message: string, extensions: GraphQLErrorExtensions): GraphQLError {
  const { nodes, path } = error instanceof GraphQLError ? error : {};
  return new GraphQLError(message, { nodes: nodes ?? null, path: path ?? null, extensions });
}
