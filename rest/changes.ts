/** Changes of resources: sends a command and returns the changed resource. */
import type { Answer, Changed, CommandContext } from "../actors/runtime/protocol.ts";
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
 * Sends a command under the conditions of the request's headers and returns the resource as the command has left it.
 *
 * @param read reads the resource with the ID of the answer, where the command's transaction has not returned it: a repeated
 * request shows the current one
 */
export async function sendAndRead<Resource extends { version: number }>(
  c: ApiContext,
  send: (context: CommandContext) => Promise<Answer | Changed<Resource>>,
  read: (id: string, storeId: string) => Promise<Resource>,
): Promise<ChangedResource<Resource>> {
  const context = commandContext(c);
  const sent = await send(context);
  const { answer, actor } = "answer" in sent ? sent : { answer: sent, actor: undefined };
  setAnswered(c, answer, context);
  const resource = actor ?? await read(answer.id, context.by.storeId);
  return { resource, answer, headers: { etag: etag(resource.version) } };
}
