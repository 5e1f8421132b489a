/** Documents one to a line: how answers are streamed, and how a client learns that one has broken off. */
import { DomainError } from "../domain/errors.ts";
import { ErrorSchema, z } from "./api.ts";
import { answerOf } from "./errors.ts";

export const JSON_LINES = "application/x-ndjson";

/** The document of an answer that is streamed. Typed as any content: Hono takes it for one JSON value otherwise. */
export function jsonLines(description: string, line: z.ZodType) {
  const schema = z.union([line, z.object({ error: ErrorSchema })]);
  const content: Record<string, { schema: z.ZodType }> = { [JSON_LINES]: { schema } };
  return { description, content };
}

export function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** Why a stream is not whole when the service ends. */
export function ending(): DomainError {
  return new DomainError("UNAVAILABLE", "Cannot go on: the service is about to end, ask again");
}

/** The last line of a stream that is not whole: its status has been sent long ago. */
export function errorLine(error: unknown): string {
  return lineOf({ error: answerOf(error).body });
}
