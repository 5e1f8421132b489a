/**
 * Exclusive claim for writing the documents of an export, one transaction a chunk. The last transaction publishes
 * all documents and removes the collected records. If the writer dies earlier, its chunks are invalid and the next
 * writer starts again.
 */
import { type FixedClock, instant } from "../../../db/clock.ts";
import { type Sql, type Tx, writeStore } from "../../../db/connect.ts";
import {
  claimDocuments,
  dropClaim,
  findDocuments,
  insertChunk,
  lockOpenExport,
  publishDocuments,
  renewClaim,
  updatePart,
} from "../../../db/gdpr_exports.ts";
import { DomainError } from "../../../domain/errors.ts";
import { addMilliseconds } from "../../../lib/dates.ts";
import type { Text } from "./documents/contents.ts";
import { type Digest, writeGzip } from "./documents/write.ts";
import { encryptChunk } from "./chunk_encryption.ts";
import type { RequestKey } from "../types.ts";

/** Dependencies and limits of compiling an export. */
export interface ExportContext {
  /** A pool of the role customer_api. */
  sql: Sql;
  /** AES-GCM with 256 bits. */
  cipher: CryptoKey;
  /** Absent: PostgreSQL's clock. */
  clock: FixedClock | undefined;
  chunkBytes: number;
}

/** Every method throws after the claim is lost or the signal is aborted. */
export interface Claim {
  /** Renews the claim if half of its time has passed; for the time between two writes. */
  renew(): Promise<void>;
  write(part: string, text: Text): Promise<Digest>;
  publish(): Promise<void>;
  /** Releases the claim for the next writer. */
  release(): Promise<void>;
}

/** Retention of finished documents: they can be downloaded until then. */
const AVAILABLE_MS = 7 * 24 * 60 * 60_000;
/** Validity of a claim: another writer may take over when it expires. */
const CLAIM_MS = 15_000;

/**
 * @returns undefined if the documents exist already
 * @throws {DomainError} REFUSED_IN_STATE: the request has ended. UNAVAILABLE: another writer holds the claim
 */
export async function openClaim(
  { sql, cipher, clock, chunkBytes }: ExportContext,
  key: RequestKey,
  documents: readonly { part: string; mediaType: string }[],
  signal: AbortSignal,
): Promise<Claim | undefined> {
  const failure = (why: string) => new Error(`Cannot compile ${key.requestId}: ${why}`);
  const requireOpen = async (tx: Tx) => {
    const open = await lockOpenExport(tx, key, instant(tx, clock));
    if (open) return open.now;
    throw new DomainError("REFUSED_IN_STATE", `Cannot compile ${key.requestId}: the request has ended`);
  };

  const claimed = await writeStore(sql, key.storeId, async (tx) => {
    const now = await requireOpen(tx);
    const finished = await findDocuments(tx, key, now);
    if (finished.some(({ expired }) => !expired)) return "finished";
    const lease = addMilliseconds(now, CLAIM_MS);
    return await claimDocuments(tx, key, documents, { now, lease }) === "taken" ? "taken" : lease;
  });
  if (claimed === "finished") return undefined;
  if (claimed === "taken") {
    throw new DomainError("UNAVAILABLE", `Cannot compile ${key.requestId}: another replica is compiling it`);
  }

  let lease = claimed;
  let renewedAt = performance.now();

  /** Serializes the transactions: each renews the claim and so would make a concurrent one fail. */
  let previous = Promise.resolve();
  const transact = (run: (tx: Tx) => Promise<void>) =>
    previous = previous.then(async () => {
      signal.throwIfAborted();
      const startedAt = performance.now();
      lease = await writeStore(sql, key.storeId, async (tx) => {
        const renewed = await renewClaim(tx, key, lease, instant(tx, clock, CLAIM_MS));
        if (!renewed) throw failure("the claim on its documents is lost");
        await run(tx);
        return renewed;
      });
      renewedAt = startedAt;
    });

  return {
    async renew() {
      signal.throwIfAborted();
      if (performance.now() - renewedAt > CLAIM_MS / 2) await transact(() => Promise.resolve());
    },

    async write(part, text) {
      let chunk = 0;
      const digest = await writeGzip(text, chunkBytes, async (gzip, isLast) => {
        const bytes = await encryptChunk(cipher, { ...key, part, chunk, last: isLast }, gzip);
        await transact((tx) => insertChunk(tx, key, { part, chunk, bytes }));
        chunk++;
      });
      await transact((tx) => updatePart(tx, key, part, { ...digest }));
      return digest;
    },

    async publish() {
      signal.throwIfAborted();
      await writeStore(sql, key.storeId, async (tx) => {
        const now = await requireOpen(tx);
        const published = await publishDocuments(tx, key, lease, addMilliseconds(now, AVAILABLE_MS));
        if (!published) throw failure("the claim on its documents is lost");
      });
    },

    release: () => writeStore(sql, key.storeId, (tx) => dropClaim(tx, key, lease)),
  };
}
