/** Journals of a customer and of its requests, as records of an access document. */
import { type ActorEventRow, type ActorKey, findJournal } from "../../../db/actor_events.ts";
import type { Sql } from "../../../db/connect.ts";
import { JOURNAL_PROCESSING } from "../../../db/personal_data.ts";
import { readStore } from "../../../db/store_reader.ts";
import { resolveReaders, type ServicesOfReaders } from "../../../domain/processing.ts";
import { publicRow } from "../requests/public_events.ts";
import type { CollectedRecord } from "../types.ts";

/** Number of events that one statement reads. */
const PAGE = 1_000;

/** @param requests IDs of the customer's requests */
export async function* readJournals(
  sql: Sql,
  { storeId, customerId, requests, services }: {
    storeId: string;
    customerId: string;
    requests: readonly string[];
    services: ServicesOfReaders;
  },
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
      for (const event of events) yield recordOf(event, customerId, services);
      if (events.length < PAGE) break;
      after = events.at(-1)!.sequence;
    }
  }
}

function recordOf(stored: ActorEventRow, customerId: string, services: ServicesOfReaders): CollectedRecord {
  const isRequest = stored.actorKind === "gdpr_request";
  const { eventType, about, changedFields, reason, at, ...event } = isRequest ? publicRow(stored) : stored;
  const { recipients, ...processing } = JOURNAL_PROCESSING[isRequest ? "gdpr_request" : "customer"];
  return {
    ...processing,
    recipients: resolveReaders(recipients, services),
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
