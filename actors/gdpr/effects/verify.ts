/** Performer of the effect `erasure.verify`: searches for personal data that an erasure should have removed. */
import { countExportParts, findRequest } from "../../../db/gdpr_requests.ts";
import { countPersonalData } from "../../../db/personal_data.ts";
import { readStore } from "../../../db/store_reader.ts";
import { countTraces } from "../../../db/traces.ts";
import type { Performer } from "../../commands.ts";
import { ignoreRefused } from "../../../domain/errors.ts";
import { systemPrincipal } from "../../../domain/principal.ts";

/** Sends the request the number of values in erased columns, of traces in other rows and of export parts. */
export const verifyErasure: Performer = async (
  { storeId, actorId: requestId, traceparent },
  { actors, sql },
) => {
  const residue = await readStore(sql, storeId, async (sql) => {
    const request = await findRequest(sql, storeId, requestId);
    if (!request) throw new Error(`Cannot find request ${requestId}`);
    const counts = await countPersonalData(sql, storeId, request.customerId);
    const values = Object.values(counts).flatMap((byCategory) => Object.values(byCategory));
    const parts = await countExportParts(sql, storeId, request.customerId);
    const traces = await countTraces(sql, storeId, request.customerId, request.cleared?.traces ?? []);
    return values.reduce((sum, count) => sum + count, 0) + traces + parts;
  });
  const ref = { kind: "gdpr_request" as const, storeId, id: requestId };
  const context = { by: systemPrincipal(storeId), traceparent };
  await ignoreRefused(actors.send(ref, { type: "verified", residue }, context)); // the state refuses it if an earlier attempt sent it
  return "done";
};
