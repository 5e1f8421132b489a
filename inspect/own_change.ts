/** Reports what the viewer has changed, after the redirect that follows an accepted form. */
import { findEvent } from "../db/actor_history.ts";
import type { ActorKey } from "../db/actor_events.ts";
import type { StoreReader } from "../db/store_reader.ts";
import type { FormAttempt } from "./fields.tsx";
import type { InspectContext } from "./session.ts";

/**
 * Reads the change from the journal, since an address proves nothing.
 *
 * @param sequence of the event, from the address; 0: nothing has changed; undefined: nothing was submitted
 * @param texts messages by the type of the event
 */
export async function findOwnChange(
  { var: { by } }: InspectContext,
  reader: StoreReader,
  key: ActorKey,
  { sequence, texts }: {
    sequence: number | undefined;
    texts: Readonly<Record<string, { done: string }>>;
  },
): Promise<FormAttempt | undefined> {
  if (sequence === undefined) return undefined;
  if (sequence === 0) {
    return { done: true, message: "Nothing was changed: what you entered was stored already." };
  }
  const event = await reader.read(by.storeId, (sql) => findEvent(sql, key, sequence));
  if (event?.principalId !== by.id || !Object.hasOwn(texts, event.eventType)) return undefined;
  return { done: true, message: texts[event.eventType]!.done };
}
