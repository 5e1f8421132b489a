/**
 * The claim under which the documents of an export are written, chunk by chunk, each in a transaction of its own.
 * Only one writer holds it; its last transaction completes all documents and removes what they were made of.
 * Whoever dies before that leaves nothing that counts, and the next one starts anew.
 */
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
import { later } from "../../../lib/dates.ts";
import type { Text } from "./documents/contents.ts";
import { type Digest, writeGzip } from "./documents/write.ts";
import { seal } from "./seal.ts";
import type { RequestKey } from "../vocabulary.ts";

/** What exports are made with. */
export interface Workshop {
  /** A pool of the role customer_api. */
  sql: Sql;
  /** For AES-GCM with 256 bits. */
  cipher: CryptoKey;
  clock: () => Date;
  chunkBytes: number;
}

/** Every method throws once the claim is lost or the signal is aborted. */
export interface Claim {
  /** Keeps the claim while nothing is written. */
  keep(): Promise<void>;
  write(part: string, text: Text): Promise<Digest>;
  publish(): Promise<void>;
  /** Makes room for the next writer. */
  drop(): Promise<void>;
}

/** How long finished documents can be fetched. */
const FETCHABLE_MS = 7 * 24 * 60 * 60_000;
/** How long a writer may be silent before another one may take over. */
const CLAIM_MS = 15_000;

/**
 * @returns undefined when the documents are there already
 * @throws {DomainError} REFUSED_IN_STATE: the request has ended. UNAVAILABLE: another writer is at it
 */
export async function openClaim(
  { sql, cipher, clock, chunkBytes }: Workshop,
  key: RequestKey,
  documents: readonly { part: string; mediaType: string }[],
  signal: AbortSignal,
): Promise<Claim | undefined> {
  const fail = (why: string) => new Error(`Cannot compile ${key.requestId}: ${why}`);
  const requireOpen = async (tx: Tx) => {
    if (await lockOpenExport(tx, key)) return;
    throw new DomainError("REFUSED_IN_STATE", `Cannot compile ${key.requestId}: the request has ended`);
  };

  const now = clock();
  let lease = later(now, CLAIM_MS);
  const claimed = await writeStore(sql, key.storeId, async (tx) => {
    await requireOpen(tx);
    const finished = await findDocuments(tx, key);
    if (finished.some(({ expiresAt }) => expiresAt > now)) return "finished";
    return await claimDocuments(tx, key, documents, { now, lease });
  });
  if (claimed === "finished") return undefined;
  if (claimed === "taken") {
    throw new DomainError("UNAVAILABLE", `Cannot compile ${key.requestId}: another replica is at it`);
  }

  /** One after the other: a transaction that renews the claim takes it from one that started beside it. */
  let turn = Promise.resolve();
  const transact = (run: (tx: Tx) => Promise<void>) =>
    turn = turn.then(async () => {
      signal.throwIfAborted();
      const renewed = later(clock(), CLAIM_MS);
      await writeStore(sql, key.storeId, async (tx) => {
        if (!await renewClaim(tx, key, lease, renewed)) throw fail("the claim on its documents is lost");
        await run(tx);
      });
      lease = renewed;
    });

  return {
    async keep() {
      signal.throwIfAborted();
      if (lease.getTime() - clock().getTime() < CLAIM_MS / 2) await transact(() => Promise.resolve());
    },

    async write(part, text) {
      let chunk = 0;
      const digest = await writeGzip(text, chunkBytes, async (gzip, last) => {
        const bytes = await seal(cipher, { ...key, part, chunk, last }, gzip);
        await transact((tx) => insertChunk(tx, key, { part, chunk, bytes }));
        chunk++;
      });
      await transact((tx) => updatePart(tx, key, part, { ...digest }));
      return digest;
    },

    async publish() {
      signal.throwIfAborted();
      await writeStore(sql, key.storeId, async (tx) => {
        await requireOpen(tx);
        const published = await publishDocuments(tx, key, lease, later(clock(), FETCHABLE_MS));
        if (!published) throw fail("the claim on its documents is lost");
      });
    },

    drop: () => writeStore(sql, key.storeId, (tx) => dropClaim(tx, key, lease)),
  };
}
