/** Building blocks of REST routes: authentication, authorization, input validation and documented errors. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "@hono/hono";
import { createMiddleware } from "@hono/hono/factory";
import { authorizeStaff } from "../domain/authorization.ts";
import { type ErrorCode } from "../domain/errors.ts";
import { asDomainError } from "../db/errors.ts";
import { invalidInput } from "../domain/input.ts";
import type { Principal, RoleName } from "../domain/principal.ts";
import type { Authenticator } from "../auth/principals.ts";
import type { AddressVariables } from "../http/address.ts";
import type { LoadVariables } from "../http/load_shedding.ts";
import { newTraceparent, readTraceparent } from "../lib/trace_context.ts";
import { STATUSES } from "../http/statuses.ts";

export { createRoute, z };

/** Hono environment of the routes. */
export interface ApiEnv {
  Variables: LoadVariables & AddressVariables & {
    by: Principal;
    /** W3C trace context of the caller; a new one if the request has none. */
    traceparent: string;
    /** Runs after the caller has been authorized and before the body is read. */
    receive?: MiddlewareHandler<ApiEnv>;
  };
}

export type Api = OpenAPIHono<ApiEnv>;
export type ApiContext = Context<ApiEnv>;

/** Creates an app for the routes of a resource. Input that violates its schema is refused with its fields named. */
export function createApi(): Api {
  return new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) => {
      if (!result.success) {
        throw invalidInput(result.error, `accept the request ${c.req.method} ${c.req.routePath}`);
      }
    },
  });
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
    c.set("traceparent", readTraceparent(c.req.header("traceparent")) ?? newTraceparent());
    try {
      c.set("by", await authenticate(c.req.raw.headers, c.var.address));
    } catch (error) {
      if (asDomainError(error)?.code === "UNAUTHENTICATED") await beforeRefusal(c);
      throw error;
    }
    await next();
  });
}

/**
 * Middleware that admits services, and staff with one of the roles. The body is read only after that.
 *
 * @param purpose for the error message: "read customers"
 */
export function allow(purpose: string, ...roles: RoleName[]): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    authorizeStaff(purpose, roles, c.var.by);
    return await (c.var.receive ? c.var.receive(c, next) : next());
  });
}

export const ErrorSchema = z.object({
  code: z.enum([...Object.keys(STATUSES) as ErrorCode[], "INTERNAL_SERVER_ERROR"]),
  message: z.string().meta({
    description: "For people. It names IDs and fields, never personal values.",
    example: "Cannot find customer 0f5d0c4e-6a0e-4d3a-9d7a-0d3f7b1c2a11",
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
  FORBIDDEN: "the caller has no role that permits this",
  NOT_FOUND: "the caller's store has no resource with this ID",
  ALREADY_EXISTS: "a value that must be unique is already in use",
  REFUSED_IN_STATE: "not possible in the present state, which the message names",
  CONFLICT: "`If-Match` names another version than the present one",
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
    414: json("INVALID_INPUT: the URL has more than 8 KiB", ErrorSchema),
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
