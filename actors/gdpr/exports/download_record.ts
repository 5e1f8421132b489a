/** Record of a download by staff: a line in the journal of the request, and an audit event. */
import { type GdprRequestRow, updateRequest } from "../../../db/gdpr_requests.ts";
import { storeCommit } from "../../../db/commits.ts";
import type { Tx } from "../../../db/connect.ts";
import type { Principal } from "../../../domain/principal.ts";
import { auditMessage } from "../../messages.ts";
import { commitOf } from "../../runtime/record.ts";
import { stateName } from "../../runtime/recorded_event.ts";
import type { RequestSnapshot } from "../requests/snapshot.ts";

/** Name of the event in the journal. The machine knows none: a download changes nothing about the request. */
export const DOWNLOADED = "export.downloaded";

/**
 * Records who has downloaded which document.
 *
 * @param request locked; its version increases
 */
export async function recordDownload(
  tx: Tx,
  request: GdprRequestRow,
  document: string,
  { by, at, traceparent }: { by: Principal; at: Date; traceparent: string },
): Promise<void> {
  const { requestId, customerId, snapshot, version, status } = request;
  const { storeId } = by;
  const { value = status } = snapshot as Partial<RequestSnapshot>;
  const state = stateName({ value });
  const event = {
    ref: { kind: "gdpr_request", storeId, id: requestId },
    customerId,
    eventType: DOWNLOADED,
    about: document,
    transitions: [],
    before: { state, version },
    after: { state, version: version + 1 },
    partVersion: 1,
    sequence: version + 1,
    changedFields: [],
    by,
    at,
    traceparent,
  };
  await updateRequest(tx, storeId, requestId, { version: version + 1, snapshot });
  const messages = [auditMessage(event, { action: "GDPR_EXPORT_DOWNLOADED" })];
  await storeCommit(tx, commitOf(event, { messages, effects: [], timers: [] }));
}
