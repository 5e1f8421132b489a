/** Settings and effect performers of GDPR requests. */
import type { FixedClock } from "../../db/clock.ts";
import type { Sql } from "../../db/connect.ts";
import { findEmailHashes } from "../../db/email_hashes.ts";
import { findParticipants, findRequest } from "../../db/gdpr_requests.ts";
import { settingsOf } from "../../db/store_settings.ts";
import { readStore } from "../../db/store_reader.ts";
import type { ServicesOfReaders } from "../../domain/processing.ts";
import { missingStatements, REQUIRED_STATEMENTS } from "../../domain/store_settings.ts";
import type { Performer } from "../commands.ts";
import { collectPerformer } from "./effects/collect.ts";
import { compilePerformer } from "./effects/compile.ts";
import { hashEmail, hashForMemory, participantHashesOf } from "./requests/email_hash.ts";
import { findContact, findSubjectRecipient } from "./requests/subject.ts";
import { proveErasure } from "./requests/erasure_proof.ts";
import type { HashKeys } from "../../lib/hash_keys.ts";
import { createExportStore } from "./exports/store.ts";
import { collectOwnData } from "./effects/own_data.ts";
import { type Signer, writeReceipt } from "./receipts/receipt.ts";
import type { RequestSettings } from "./requests/behavior.ts";
import { reviewErasure } from "./effects/review.ts";
import { verifyErasure } from "./effects/verify.ts";
import type { ExportDescription, ParticipantClient, ParticipantHash, RequestKey } from "./types.ts";

/** Keys that encrypt exports, hash emails and sign receipts. */
export interface RequestKeys {
  /** AES-GCM with 256 bits. */
  exportKey: CryptoKey;
  hashKeys: HashKeys;
  /** HMAC with SHA-256: hashes idempotency keys. */
  digestKey: CryptoKey;
  receiptKey: Signer;
}

type Configured = "participants" | "graceMs" | "fourEyes" | "fetchWaitMs" | "maxSignInAgeMs" | "peerKeys";

/** @param settings are described where RequestSettings declares them */
export function createRequestSettings(
  { participants, graceMs, fourEyes, fetchWaitMs, maxSignInAgeMs, peerKeys = {} }: Pick<
    RequestSettings,
    Configured
  >,
  { hashKeys, digestKey, receiptKey }: RequestKeys,
): RequestSettings {
  return {
    participants,
    graceMs,
    fourEyes,
    fetchWaitMs,
    maxSignInAgeMs,
    peerKeys,
    hashKey: digestKey,
    hashEmail: (email) => Promise.resolve(hashEmail(hashKeys, email)),
    hashForMemory: (email) => hashForMemory(hashKeys, email),
    sealingKeys: hashKeys,
    proveErasure: (subject) => proveErasure(hashKeys, subject),
    writeReceipt: (tx, facts, at) => writeReceipt(tx, receiptKey, facts, at),
  };
}

export interface PerformerOptions {
  /** Absent: PostgreSQL's clock. */
  clock?: FixedClock;
  /** Names of the services that may read customers, as documents name them. */
  services?: ServicesOfReaders;
  /** Whether an access document requires the controller and the data protection contact of the store. */
  requiresController?: boolean;
}

/** @param sql a pool of the role customer_api */
export function createRequestPerformers(
  sql: Sql,
  client: ParticipantClient,
  { exportKey, hashKeys }: RequestKeys,
  { clock, services = {}, requiresController = false }: PerformerOptions = {},
) {
  const store = createExportStore(sql, exportKey, { clock });
  const findInStore = ({ storeId, requestId }: RequestKey) =>
    readStore(sql, storeId, (tx) => findRequest(tx, storeId, requestId));
  return {
    "source.collect": collectPerformer({
      client,
      store,
      collectOwn: (request) =>
        collectOwnData(sql, request, {
          services,
          readContact: (tx, key) => findContact(tx, hashKeys, key),
        }),
      findRequest: findInStore,
      findEmailHashes: (key) => findHashes(sql, hashKeys, key),
    }),
    "erasure.review": reviewErasure,
    "export.compile": compilePerformer({
      store,
      async describe(key) {
        const description = await describeExport(sql, hashKeys, key);
        if (requiresController && description?.type === "ACCESS") requireController(description);
        return description;
      },
    }),
    "erasure.verify": verifyErasure,
  } satisfies Record<string, Performer>;
}

/** Returns the hashes of the emails that a customer has or had, for participants. */
async function findHashes(
  sql: Sql,
  hashKeys: HashKeys,
  { storeId, customerId }: { storeId: string; customerId: string },
): Promise<ParticipantHash[]> {
  const { recipient, earlier } = await readStore(sql, storeId, async (tx) => ({
    recipient: await findSubjectRecipient(tx, hashKeys, { storeId, customerId }),
    earlier: await findEmailHashes(tx, { storeId, customerId }),
  }));
  const current = recipient ? participantHashesOf(hashEmail(hashKeys, recipient.email)) : [];
  const known = new Set(current.map(({ hash }) => hash));
  return [...current, ...participantHashesOf(earlier).filter(({ hash }) => !known.has(hash))];
}

/** @throws {Error} the settings of the store lack what every access document contains */
function requireController({ settings }: ExportDescription): void {
  const missing = missingStatements(settings).filter((name) => REQUIRED_STATEMENTS.includes(name));
  if (missing.length === 0) return;
  throw new Error(
    `Cannot create the access document: the settings of the store lack ${
      missing.join(" and ")
    }; enter them on the ` +
      "page /inspect/settings or with PATCH /store-settings, and retry",
  );
}

/** Facts about a request for its documents; undefined if the request does not exist or has no export. */
async function describeExport(
  sql: Sql,
  hashKeys: HashKeys,
  { storeId, requestId }: RequestKey,
): Promise<ExportDescription | undefined> {
  return await readStore(sql, storeId, async (tx) => {
    const request = await findRequest(tx, storeId, requestId);
    if (!request || (request.type !== "ACCESS" && request.type !== "PORTABILITY")) return undefined;
    const { customerId } = request;
    const [participants, recipient, settings] = await Promise.all([
      findParticipants(tx, storeId, requestId),
      findSubjectRecipient(tx, hashKeys, { storeId, customerId }),
      settingsOf(tx, storeId),
    ]);
    return {
      customerId,
      type: request.type,
      receivedAt: request.receivedAt,
      locale: recipient?.locale ?? null,
      settings,
      sources: participants.map(({ service, state, waiverReason }) => ({
        service,
        waiverReason: state === "WAIVED" ? waiverReason ?? "" : undefined,
      })),
    };
  });
}
