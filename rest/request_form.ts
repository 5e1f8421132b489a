/** Checks the form of a request before its operation: the method, the query, and that a body is there if it may be. */
import type { MiddlewareHandler } from "@hono/hono";
import { createMiddleware } from "@hono/hono/factory";
import { DomainError } from "../domain/errors.ts";
import { parseInput } from "../domain/input.ts";
import { refuseMethod } from "../http/mod.ts";
import { type ApiContext, type ApiEnv, describeOperation, z } from "./api.ts";
import { allowOf, type Resource } from "./route_table.ts";

/**
 * Middleware that answers OPTIONS, and refuses the methods that a path does not have.
 *
 * @param find returns the resource of a path
 */
export function checkMethod(find: (path: string) => Resource | undefined): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    const resource = find(c.req.path);
    if (!resource) return await next();
    const allow = allowOf(resource);
    if (c.req.method === "OPTIONS") return c.body(null, 204, { allow });
    const form = resource.operations.get(c.req.method);
    if (!form) {
      return refuseMethod(c, allow);
    }
    checkCondition(c);
    c.set("form", form);
    return await next();
  });
}

/**
 * Refuses a condition that no change evaluates. RFC 9110 demands that it is not ignored: "If-None-Match: *" must not
 * overwrite what exists.
 *
 * @throws {DomainError} INVALID_INPUT
 */
function checkCondition({ req }: ApiContext): void {
  if (req.method === "GET" || req.method === "HEAD" || req.header("if-none-match") === undefined) return;
  throw new DomainError(
    "INVALID_INPUT",
    "Cannot accept the request: If-None-Match is for reads; a change accepts If-Match",
  );
}

/** @throws {DomainError} INVALID_INPUT: the operation has no query parameters, and the request has some */
export function checkQuery(c: ApiContext): void {
  if (c.var.form?.hasQuery === false) parseInput(NOTHING, c.req.query(), describeOperation(c));
}

/**
 * Checks that there is a body if the operation requires one, and none if it accepts none. `{}` counts as none, because
 * many clients always send it.
 *
 * @param length size of the body in bytes
 * @throws {DomainError} INVALID_INPUT
 */
export async function checkBody(c: ApiContext, length: number): Promise<void> {
  const body = c.var.form?.body;
  if (body === "REQUIRED" && length === 0) {
    throw new DomainError("INVALID_INPUT", `Cannot ${describeOperation(c)}: it must have a JSON body`);
  }
  if (body === "NONE" && length > 0) parseInput(NOTHING, await readJson(c), describeOperation(c));
}

const NOTHING = z.strictObject({});

async function readJson(c: ApiContext): Promise<unknown> {
  try {
    return await c.req.raw.json();
  } catch (cause) {
    throw new DomainError("INVALID_INPUT", `Cannot ${describeOperation(c)}: it accepts no body`, { cause });
  }
}
