/** Changes of resources: sends a command and reads the changed resource. */
import type { Answer, CommandContext } from "../actors/runtime/protocol.ts";
import type { ApiContext } from "./api.ts";
import { commandContext, etag } from "./conditional_headers.ts";

export interface ChangedResource<Resource> {
  resource: Resource;
  /** The actor's answer to the command. */
  answer: Answer;
  headers: { etag: string };
}

/** Marks an answer as covered by the audit event of its change, unless it may be a repetition of one. */
export function setAnswered(c: ApiContext, { changed }: Answer, { idempotencyKey }: CommandContext): void {
  c.set("answered", { audited: changed && idempotencyKey === undefined });
}

/**
 * Sends a command under the conditions of the request's headers and reads the resource afterwards.
 *
 * @param read reads the resource with the ID that the command's answer has
 */
export async function sendAndRead<Resource extends { version: number }>(
  c: ApiContext,
  send: (context: CommandContext) => Promise<Answer>,
  read: (id: string, storeId: string) => Promise<Resource>,
): Promise<ChangedResource<Resource>> {
  const context = commandContext(c);
  const answer = await send(context);
  setAnswered(c, answer, context);
  const resource = await read(answer.id, context.by.storeId);
  return { resource, answer, headers: { etag: etag(resource.version) } };
}
