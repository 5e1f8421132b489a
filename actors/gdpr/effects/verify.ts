/** The re-scan behind an erasure: whatever the personal-data map says must be empty is looked for once more. */
import { enterStore } from "../../../db/connect.ts";
import { countExportParts, findRequest } from "../../../db/gdpr_requests.ts";
import { countPersonalData } from "../../../db/personal_data.ts";
import { countTraces } from "../../../db/traces.ts";
import type { Performer } from "../../commands.ts";
import { DomainError } from "../../../domain/errors.ts";
import { systemPrincipal } from "../../../domain/principal.ts";

/** Tells the request what was found: values in emptied columns, traces elsewhere, parts of exports. */
export const verifyErasure: Performer = async (
  { storeId, actorId: requestId, traceparent },
  { actors, sql },
) => {
  const residue = await sql.begin("isolation level repeatable read read only", async (tx) => {
    await enterStore(tx, storeId);
    const request = await findRequest(tx, storeId, requestId);
    if (!request) throw new Error(`Cannot find request ${requestId}`);
    const counts = await countPersonalData(tx, storeId, request.customerId);
    const values = Object.values(counts).flatMap((byCategory) => Object.values(byCategory));
    const parts = await countExportParts(tx, storeId, request.customerId);
    const traces = await countTraces(tx, storeId, request.customerId, request.cleared?.traces ?? []);
    return values.reduce((sum, count) => sum + count, 0) + traces + parts;
  });
  const ref = { kind: "gdpr_request" as const, storeId, id: requestId };
  try {
    await actors.send(ref, { type: "verified", residue }, {
      by: systemPrincipal(storeId),
      traceparent,
    });
  } catch (error) {
    // Somebody has told it before.
    if (!(error instanceof DomainError) || error.code !== "REFUSED_IN_STATE") throw error;
  }
  return "done";
};
