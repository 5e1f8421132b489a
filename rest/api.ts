/** Building blocks of REST routes: authentication, input validation and documented errors. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "@hono/hono";
import { createMiddleware } from "@hono/hono/factory";
import { type ErrorCode } from "../domain/errors.ts";
import { asDomainError } from "../db/errors.ts";
import { invalidInput } from "../domain/input.ts";
import type { Principal } from "../domain/principal.ts";
import type { Authenticator } from "../auth/principals.ts";
import type { AddressVariables } from "../http/address.ts";
import type { LoadVariables } from "../http/load_shedding.ts";
import { traceparentOf } from "../http/refusals.ts";
import { STATUSES } from "../http/statuses.ts";
import type { AccessControl, Answered } from "./access_context.ts";

export { createRoute, z };

/** Parts that a request for an operation may have. */
export interface RequestForm {
  body: "REQUIRED" | "OPTIONAL" | "NONE";
  hasQuery: boolean;
}

/** Hono environment of the routes. */
export interface ApiEnv {
  Variables: LoadVariables & AddressVariables & {
    by: Principal;
    /** W3C trace context of the request. */
    traceparent: string;
    /** Parts that the request may have. Absent: the path has no operations. */
    form?: RequestForm;
    /** Runs after the caller has been authorized and before the body is read. */
    receive?: MiddlewareHandler<ApiEnv>;
    access: AccessControl;
    /** The operationId; absent before a route has been found. */
    operation?: string;
    answered?: Answered;
  };
}

export type Api = OpenAPIHono<ApiEnv>;
export type ApiContext = Context<ApiEnv>;

/** Creates an app for the routes of a resource. Input that violates its schema is refused with its fields named. */
export function createApi(): Api {
  return new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) => {
      if (!result.success) {
        throw invalidInput(result.error, describeOperation(c));
      }
    },
  });
}

/** Names the request for an error message: "accept the request GET /customers". HEAD has the response of GET. */
export function describeOperation({ req: { method, routePath } }: Context): string {
  return `accept the request ${method === "HEAD" ? "GET" : method} ${routePath}`;
}

/**
 * Middleware that authenticates the caller before anything else is read.
 *
 * @param beforeRefusal called before a caller without a valid token is refused; it may throw another error instead
 */
export function authenticated(
  authenticate: Authenticator,
  beforeRefusal: (c: ApiContext) => Promise<void> = () => Promise.resolve(),
): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    traceparentOf(c);
    try {
      c.set("by", await authenticate(c.req.raw.headers, c.var.address));
    } catch (error) {
      if (asDomainError(error)?.code === "UNAUTHENTICATED") await beforeRefusal(c);
      throw error;
    }
    await next();
  });
}

/** A recent sign-in is required of customers, who have no operation over REST. */
const CODES: ErrorCode[] = (Object.keys(STATUSES) as ErrorCode[])
  .filter((code) => code !== "RECENT_SIGN_IN_REQUIRED");

export const ErrorSchema = z.object({
  code: z.enum([...CODES, "INTERNAL_SERVER_ERROR"]),
  message: z.string().meta({
    description: "For people. It names IDs and fields, never personal values.",
    example: "Cannot find customer 0f5d0c4e-6a0e-4d3a-9d7a-0d3f7b1c2a11",
  }),
  details: z.array(z.object({
    field: z.string().meta({ description: "Path with dots", example: "corrections.phone" }),
    message: z.string().meta({ description: "What the field must be", example: "must be a UUID" }),
  })).optional().meta({ description: "The fields of the request that are wrong, at most 20" }),
  traceId: z.string().optional().meta({
    description: "Trace of the request, for support. Absent in the lines of a stream",
    example: "4bf92f3577b34da6a3ce929d0e0e4736",
  }),
}).meta({ id: "Error" });

/** Describes a response with a JSON body. */
export function json<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { "application/json": { schema } } };
}

/** Errors that any route may return. */
const ALWAYS: ErrorCode[] = ["INVALID_INPUT", "UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED", "UNAVAILABLE"];

/** Meaning of each code in the OpenAPI document. */
const MEANINGS: Record<ErrorCode, string> = {
  INVALID_INPUT: "the message names at most 20 invalid fields and what each accepts",
  UNAUTHENTICATED: "the token is missing or invalid",
  RECENT_SIGN_IN_REQUIRED: "the customer has to sign in again",
  FORBIDDEN: "the caller has no role or right that permits this",
  NOT_FOUND: "the caller's store has no resource with this ID",
  ALREADY_EXISTS: "a value that must be unique is already in use",
  REFUSED_IN_STATE: "not possible in the present state, which the message names",
  CONFLICT: "no ETag of `If-Match` is that of the present version",
  RATE_LIMITED: "too many requests in this minute, or too many streams at a time",
  UNAVAILABLE: "try again later",
};

/** Headers of error responses. */
const HEADERS: Partial<Record<ErrorCode, z.ZodObject>> = {
  UNAUTHENTICATED: z.object({
    "www-authenticate": z.string().meta({
      description: "The scheme, and the reason if a token was refused: RFC 6750",
      example: 'Bearer error="invalid_token", error_description="Cannot accept the token: it has expired"',
    }),
  }),
  RATE_LIMITED: retryAfter("Seconds until the next request is accepted"),
  UNAVAILABLE: retryAfter("Seconds after which to try again"),
};

function retryAfter(description: string) {
  return z.object({ "retry-after": z.string().meta({ description, example: "7" }) });
}

/**
 * Describes the errors of a route: those that any route may return, and its own. Handlers throw them, so the types of
 * their responses do not include them.
 */
export function refusals(...codes: ErrorCode[]): Record<never, never> {
  const responses: Record<number, ReturnType<typeof json> & { headers?: z.ZodObject }> = {
    405: {
      ...json("INVALID_INPUT: the path does not accept the method", ErrorSchema),
      headers: z.object({
        allow: z.string().meta({ description: "The methods of the path", example: "GET, HEAD" }),
      }),
    },
    413: json("INVALID_INPUT: the body has more than 100 KiB, inflated", ErrorSchema),
    414: json("INVALID_INPUT: the URL has more than 8 KiB", ErrorSchema),
    415: {
      ...json("INVALID_INPUT: the content type, charset or content encoding is not accepted", ErrorSchema),
      headers: z.object({
        "accept-encoding": z.string().optional().meta({
          description: "The content encodings that are accepted, if that of the body is not",
          example: "gzip, deflate",
        }),
      }),
    },
    500: json("INTERNAL_SERVER_ERROR: the service failed unexpectedly", ErrorSchema),
  };
  for (const code of [...ALWAYS, ...codes]) {
    const status = STATUSES[code];
    const meaning = `${code}: ${MEANINGS[code]}`;
    const other = responses[status]?.description;
    const response = json(other ? `${other}; or ${meaning}` : meaning, ErrorSchema);
    const headers = HEADERS[code];
    responses[status] = headers ? { ...response, headers } : response;
  }
  return responses;
}
