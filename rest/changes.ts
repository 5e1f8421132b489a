/** Change of a resource: a command, and the resource as the store shows it afterwards. */
import type { Answer, CommandContext } from "../actors/runtime/protocol.ts";
import type { ApiContext } from "./api.ts";
import { commandContext, etag } from "./conditions.ts";

export interface Change<Resource> {
  resource: Resource;
  /** Of the command. */
  answer: Answer;
  headers: { etag: string };
}

/**
 * Sends the command of a request on its conditions, and reads the resource again.
 *
 * @param read of the ID that the command has answered with
 */
export async function sendAndRead<Resource extends { version: number }>(
  c: ApiContext,
  send: (context: CommandContext) => Promise<Answer>,
  read: (id: string, storeId: string) => Promise<Resource>,
): Promise<Change<Resource>> {
  const context = commandContext(c);
  const answer = await send(context);
  const resource = await read(answer.id, context.by.storeId);
  return { resource, answer, headers: { etag: etag(resource.version) } };
}
