/** What every REST route is made with: who asks, how input is refused, and what may be answered. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "@hono/hono";
import { createMiddleware } from "@hono/hono/factory";
import { authorizeStaff } from "../domain/authorization.ts";
import { type ErrorCode } from "../domain/errors.ts";
import { asDomainError } from "../db/errors.ts";
import { invalidInput } from "../domain/input.ts";
import type { Principal, RoleName } from "../domain/principal.ts";
import type { Authenticator } from "../auth/principals.ts";
import type { LoadVariables } from "../http/load_shedding.ts";
import { newTraceparent, readTraceparent } from "../lib/trace_context.ts";
import { STATUSES } from "../http/statuses.ts";

export { createRoute, z };

/** What the routes find in their context. */
export interface ApiEnv {
  Variables: LoadVariables & {
    by: Principal;
    /** Where in which trace the caller stands: a new one where it does not say. */
    traceparent: string;
    /** What a request passes once it is known that the caller may call the route, and before its body is read. */
    receive?: MiddlewareHandler<ApiEnv>;
  };
}

export type Api = OpenAPIHono<ApiEnv>;
export type ApiContext = Context<ApiEnv>;

/** An app for a resource's routes. Input that breaks its schema is refused with its fields named. */
export function createApi(): Api {
  return new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) => {
      if (!result.success) {
        throw invalidInput(result.error, `take the request ${c.req.method} ${c.req.routePath}`);
      }
    },
  });
}

/**
 * Authenticates the caller, before anything else is looked at.
 *
 * @param refuseStranger what happens before a caller without a valid token is refused; it may throw another refusal
 */
export function authenticated(
  authenticate: Authenticator,
  refuseStranger: (c: ApiContext) => Promise<void> = () => Promise.resolve(),
): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    c.set("traceparent", readTraceparent(c.req.header("traceparent")) ?? newTraceparent());
    try {
      c.set("by", await authenticate(c.req.raw.headers));
    } catch (error) {
      if (asDomainError(error)?.code === "UNAUTHENTICATED") await refuseStranger(c);
      throw error;
    }
    await next();
  });
}

/**
 * Lets services in, and staff with one of the roles. Only then is the body read.
 *
 * @param purpose for the refusal: "read customers"
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
    description: "For a person. Names ids and fields, never a personal value.",
    example: "Cannot find customer 0f5d0c4e-6a0e-4d3a-9d7a-0d3f7b1c2a11",
  }),
}).meta({ id: "Error" });

/** An answer with a JSON body. */
export function json<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { "application/json": { schema } } };
}

/** What any route may answer. */
const ALWAYS: ErrorCode[] = ["INVALID_INPUT", "UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED", "UNAVAILABLE"];

/** What a caller may make of each. */
const MEANINGS: Record<ErrorCode, string> = {
  INVALID_INPUT: "the message names the fields that are wrong, at most 20, and what was expected",
  UNAUTHENTICATED: "the token is missing, or is not one to be believed",
  FORBIDDEN: "the caller has no role that may do this",
  NOT_FOUND: "the caller's store has nothing under this id",
  ALREADY_EXISTS: "what has to be unique belongs to another one",
  REFUSED_IN_STATE: "not in the state that it is in, which the message names",
  CONFLICT: "`If-Match` names another version than the present one",
  RATE_LIMITED: "too many requests within this minute, or too many streams at once",
  UNAVAILABLE: "try again later",
};

/** What goes with an answer beyond its body. */
const HEADERS: Partial<Record<ErrorCode, z.ZodObject>> = {
  UNAUTHENTICATED: z.object({
    "www-authenticate": z.string().meta({
      description: "The scheme, and for a token that was refused the reason: RFC 6750",
      example: 'Bearer error="invalid_token", error_description="Cannot accept the token: it has expired"',
    }),
  }),
  RATE_LIMITED: retryAfter("Seconds until a request is taken again"),
  UNAVAILABLE: retryAfter("Seconds after which to try again"),
};

function retryAfter(description: string) {
  return z.object({ "retry-after": z.string().meta({ description, example: "7" }) });
}

/**
 * The errors of a route, for its document: those that any route may answer, and its own. They are thrown, so the
 * types of a handler's answers have none of them.
 */
export function refusals(...codes: ErrorCode[]): Record<never, never> {
  const responses: Record<number, ReturnType<typeof json> & { headers?: z.ZodObject }> = {
    414: json("INVALID_INPUT: the URL has more than 8 KiB", ErrorSchema),
    500: json("INTERNAL_SERVER_ERROR: something went wrong on our side", ErrorSchema),
  };
  for (const code of [...ALWAYS, ...codes]) {
    const status = STATUSES[code];
    const meaning = `${code}: ${MEANINGS[code]}`;
    const other = responses[status]?.description;
    const answer = json(other ? `${other}; or ${meaning}` : meaning, ErrorSchema);
    const headers = HEADERS[code];
    responses[status] = headers ? { ...answer, headers } : answer;
  }
  return responses;
}
