/** What GDPR requests are made of: the settings of their actors, and how their effects are performed. */
import type { Sql } from "../../db/connect.ts";
import { findParticipants, findRequest } from "../../db/gdpr_requests.ts";
import type { Performer } from "../commands.ts";
import { collectPerformer } from "./effects/collect.ts";
import { compilePerformer } from "./effects/compile.ts";
import { hashEmail } from "./requests/email_hash.ts";
import { within } from "./exports/chunks.ts";
import { createExportStore } from "./exports/store.ts";
import { collectOwnData } from "./effects/own_data.ts";
import { type Signer, writeReceipt } from "./receipts/receipt.ts";
import type { RequestSettings } from "./requests/behavior.ts";
import { verifyErasure } from "./effects/verify.ts";
import type { ExportDescription, Peers, RequestKey } from "./vocabulary.ts";

/** What guards exports, hashes emails and signs receipts. */
export interface RequestKeys {
  /** AES-GCM with 256 bits. */
  exportKey: CryptoKey;
  /** HMAC with SHA-256. */
  hashKey: CryptoKey;
  receiptKey: Signer;
}

/**
 * @param participants the services that hold data of customers, beside this one
 * @param graceMs how long a subject may change their mind about an erasure, in milliseconds
 */
export function createRequestSettings(
  { participants, graceMs }: { participants: readonly string[]; graceMs: number },
  { hashKey, receiptKey }: RequestKeys,
): RequestSettings {
  return {
    participants,
    graceMs,
    hashEmail: (email) => hashEmail(hashKey, email),
    writeReceipt: (tx, facts, at) => writeReceipt(tx, receiptKey, facts, at),
  };
}

/** @param sql a pool of the role customer_api */
export function createRequestPerformers(
  sql: Sql,
  peers: Peers,
  { exportKey }: RequestKeys,
  clock?: () => Date,
) {
  const store = createExportStore(sql, exportKey, clock ? { clock } : {});
  const find = ({ storeId, requestId }: RequestKey) =>
    within(sql, storeId, (tx) => findRequest(tx, storeId, requestId));
  return {
    "source.collect": collectPerformer({
      peers,
      store,
      collectOwn: ({ storeId, customerId }) => collectOwnData(sql, storeId, customerId),
      findRequest: find,
    }),
    "export.compile": compilePerformer({ store, describe: (key) => describeExport(sql, key) }),
    "erasure.verify": verifyErasure,
  } satisfies Record<string, Performer>;
}

/** What the documents of a request say about it; undefined when it is none for an export. */
async function describeExport(
  sql: Sql,
  { storeId, requestId }: RequestKey,
): Promise<ExportDescription | undefined> {
  return await within(sql, storeId, async (tx) => {
    const request = await findRequest(tx, storeId, requestId);
    if (!request || (request.type !== "ACCESS" && request.type !== "PORTABILITY")) return undefined;
    const participants = await findParticipants(tx, storeId, requestId);
    return {
      customerId: request.customerId,
      type: request.type,
      createdAt: request.createdAt,
      sources: participants.map(({ service, state, waiverReason }) => ({
        service,
        waiverReason: state === "WAIVED" ? waiverReason ?? "" : undefined,
      })),
    };
  });
}
