/** JSON Lines responses: one JSON value a line. If the stream is incomplete, its last line is an error. */
import { DomainError } from "../domain/errors.ts";
import { ErrorSchema, z } from "./api.ts";
import { errorResponse } from "./errors.ts";

export const JSON_LINES = "application/x-ndjson";

/** Describes a streamed response. The content type is a plain string, because Hono would expect one JSON value. */
export function jsonLines(description: string, line: z.ZodType) {
  const schema = z.union([line, z.object({ error: ErrorSchema })]);
  const content: Record<string, { schema: z.ZodType }> = { [JSON_LINES]: { schema } };
  return { description, content };
}

export function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** Error of a stream that is incomplete because the service shuts down. */
export function shutdownError(): DomainError {
  return new DomainError("UNAVAILABLE", "Cannot continue: the service is shutting down, try again");
}

/** Returns the last line of an incomplete stream, whose status has already been sent. */
export function errorLine(error: unknown): string {
  return lineOf({ error: errorResponse(error).body });
}
