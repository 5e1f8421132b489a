/** Journals of a customer and of its requests, as records of an access document. */
import { type ActorEventRow, type ActorKey, findJournal } from "../../../db/actor_events.ts";
import type { Sql } from "../../../db/connect.ts";
import { readStore } from "../../../db/store_reader.ts";
import { publicRow } from "../requests/public_events.ts";
import type { CollectedRecord } from "../types.ts";

/** Number of events that one statement reads. */
const PAGE = 1_000;

/** @param requests IDs of the customer's requests */
export async function* readJournals(
  sql: Sql,
  { storeId, customerId, requests }: { storeId: string; customerId: string; requests: readonly string[] },
): AsyncGenerator<CollectedRecord> {
  const journals: ActorKey[] = [
    { storeId, actorKind: "customer", actorId: customerId },
    ...requests.map((actorId) => ({ storeId, actorKind: "gdpr_request", actorId })),
  ];
  for (const journal of journals) {
    for (let after = 0;;) {
      const events = await readStore(
        sql,
        storeId,
        (tx) => findJournal(tx, journal, { after, limit: PAGE }),
      );
      for (const event of events) yield recordOf(event, customerId);
      if (events.length < PAGE) break;
      after = events.at(-1)!.sequence;
    }
  }
}

function recordOf(stored: ActorEventRow, customerId: string): CollectedRecord {
  const isRequest = stored.actorKind === "gdpr_request";
  const { eventType, about, changedFields, reason, at, ...event } = isRequest ? publicRow(stored) : stored;
  return {
    category: isRequest ? "request" : "status",
    purpose: "to prove what was done with your data and your requests",
    retention: "kept without a fixed end, even after an erasure; reasons are removed by an erasure",
    recipients: [],
    data: {
      ...(isRequest && { request_id: event.actorId }),
      event: eventType,
      by: describePrincipal(event, customerId),
      ...(about !== null && { about }),
      ...(changedFields.length > 0 && { changed_fields: changedFields }),
      ...(reason !== null && { reason }),
    },
    recordedAt: at.toISOString(),
  };
}

/** The customer's document does not contain names and IDs of staff. */
function describePrincipal(
  { principalId, principalType, principalService }: Pick<
    ActorEventRow,
    "principalId" | "principalType" | "principalService"
  >,
  customerId: string,
): string {
  if (principalType === "CUSTOMER") return principalId === customerId ? "you" : "a customer";
  return principalType === "STAFF" ? "staff of the store" : principalService ?? "a service of the store";
}
