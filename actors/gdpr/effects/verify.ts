/** Performer of the effect `erasure.verify`: searches for personal data that an erasure should have removed. */
import { countExportParts, findRequest } from "../../../db/gdpr_requests.ts";
import { countPersonalData } from "../../../db/personal_data.ts";
import { readStore } from "../../../db/store_reader.ts";
import { readMachineTexts } from "../../../db/machine_texts.ts";
import type { Performer } from "../../commands.ts";
import { ignoreRefused } from "../../../domain/errors.ts";
import { quotationFinder } from "../requests/value_digests.ts";
import { systemPrincipal } from "../../../domain/principal.ts";

/**
 * Sends the request the number of values in erased columns, of texts in other rows that quote one, and of export parts.
 * Nothing is locked: the values are gone, so no row that is written meanwhile can quote them.
 */
export const verifyErasure: Performer = async (
  { storeId, actorId: requestId, traceparent },
  { actors, sql, signal },
) => {
  const { request, residue: valuesAndParts } = await readStore(sql, storeId, async (tx) => {
    const request = await findRequest(tx, storeId, requestId);
    if (!request) throw new Error(`Cannot find request ${requestId}`);
    const counts = await countPersonalData(tx, storeId, request.customerId);
    const values = Object.values(counts).flatMap((byCategory) => Object.values(byCategory));
    const parts = await countExportParts(tx, storeId, request.customerId);
    return { request, residue: values.reduce((sum, count) => sum + count, 0) + parts };
  });
  const { customerId, cleared } = request;
  const quotes = quotationFinder(cleared?.traces ?? [], requestId);
  let residue = valuesAndParts;
  for await (const texts of readMachineTexts(sql, storeId, customerId)) {
    if (signal.aborted) return "more";
    residue += texts.filter(quotes).length;
  }
  const ref = { kind: "gdpr_request" as const, storeId, id: requestId };
  const context = { by: systemPrincipal(storeId), traceparent };
  await ignoreRefused(actors.send(ref, { type: "verified", residue }, context)); // the state refuses it if an earlier attempt sent it
  return "done";
};
