/** Replica watch: whether a replica may answer, by how old its answers are and whether it responds. */
import { getLogger } from "@logtape/logtape";
import { describeError } from "../lib/error_description.ts";
import { createOutageLog } from "../lib/outage_log.ts";
import { observe } from "../telemetry/metrics.ts";
import type { Sql } from "./connect.ts";
import { isSerializationFailure } from "./errors.ts";
import { migrationNames } from "./migrate.ts";
import { requireSettings } from "./requirements.ts";
import { inTime } from "./time_limit.ts";
import { startWorkLoop } from "./work.ts";

/** Timeout of a question about positions, in milliseconds. */
const LIMIT_MS = 1_000;
/** Longest pause between two questions, in milliseconds. */
const MAX_POLL_MS = 1_000;
/** Positions of the primary that the replica has not reached yet, at most. */
const MAX_POSITIONS = 1_000;

/** Why the replica must not answer now. */
export type ReplicaFault = "lagging" | "unavailable";
/** Why a lookup at the replica has failed; conflict: the replica canceled it to replay changes. */
export type LookupFault = "conflict" | "unavailable";

export interface ReplicaWatch extends AsyncDisposable {
  /** Returns why the replica must not answer now; undefined if it may. */
  fault(): ReplicaFault | undefined;
  /** Records the error of a lookup, and returns its class. */
  recordError(error: unknown): LookupFault;
  /** Age of the replica's answers in milliseconds: they show all that was committed before. Undefined: unknown. */
  lagMs(): number | undefined;
  /** Resolves after the first question to the replica, whatever its result. */
  first: Promise<void>;
}

export interface ReplicaWatchOptions {
  /** Largest age of an answer, in milliseconds. */
  maxLagMs: number;
  /** A pool of the primary; undefined where the primary is not configured. */
  primary: Sql | undefined;
}

/** Position in the write-ahead log of the primary. */
interface Position {
  lsn: bigint;
  /** Time on the clock of `performance` before the primary was asked. */
  at: number;
}

interface PrimaryRow {
  lsn: string;
  now: Date;
  system: string;
  startedAt: string;
}

interface ReplicaRow {
  standby: boolean;
  lsn: string | null;
  replayedAt: Date | null;
  system: string;
  startedAt: string;
  migrations: number;
}

/**
 * Compares positions in the write-ahead log. A replica that has replayed a position of the primary shows everything that
 * was committed when the primary was asked for it. The commit time of the last replayed transaction is a second proof: it
 * holds while the primary cannot be asked, but does not advance while nothing is written.
 *
 * @param sql a pool of the role customer_reader that accepts a replica
 */
export function startReplicaWatch(sql: Sql, { primary, maxLagMs }: ReplicaWatchOptions): ReplicaWatch {
  const log = getLogger(["customer-service", "replica"]);
  const pollMs = Math.min(MAX_POLL_MS, maxLagMs / 4);
  const positions: Position[] = [];
  let primaryServer: Pick<PrimaryRow, "system" | "startedAt"> | undefined;
  /** The primary's clock minus that of `performance`, in milliseconds. Both hosts agree where it was never asked. */
  let clockOffset = Date.now() - performance.now();
  let freshAt: number | undefined;
  let isAway = true;
  const first = Promise.withResolvers<void>();
  const primaryAsked = Promise.withResolvers<void>();
  if (!primary) primaryAsked.resolve();
  const outage = createOutageLog(
    (reason) => log.warn("The replica answers no lookups, the primary does: {reason}", { reason }),
    () => log.info("The replica answers lookups again"),
  );
  const lagMs = () => freshAt === undefined ? undefined : performance.now() - freshAt;
  const fault = () => {
    if (isAway) return "unavailable";
    return freshAt !== undefined && performance.now() - freshAt <= maxLagMs ? undefined : "lagging";
  };

  async function askPrimary(primary: Sql): Promise<void> {
    const at = performance.now();
    const [row] = await inTime(
      primary<[PrimaryRow]>`
        select pg_current_wal_lsn()::text as lsn, clock_timestamp() as now,
          pg_postmaster_start_time()::text as started_at,
          (select system_identifier::text from pg_control_system()) as system`,
      LIMIT_MS,
    );
    clockOffset = row.now.getTime() - (at + performance.now()) / 2;
    primaryServer = row;
    const lsn = toNumber(row.lsn);
    if (positions.at(-1)?.lsn === lsn) positions.pop(); // proves the same, for a later time
    positions.push({ lsn, at });
    if (positions.length > MAX_POSITIONS) positions.shift();
  }

  let hasSettings = false;
  let names: string[] | undefined;

  /** @throws the driver's error, or one that says why the server is no replica to ask */
  async function askReplica(): Promise<void> {
    await primaryAsked.promise; // takes LIMIT_MS at most
    const at = performance.now();
    names ??= await migrationNames();
    if (!hasSettings) await inTime(requireSettings(sql, "customer_reader"), LIMIT_MS);
    hasSettings = true;
    const [row] = await inTime(
      sql<[ReplicaRow]>`
        select pg_is_in_recovery() as standby, pg_last_wal_replay_lsn()::text as lsn,
          pg_last_xact_replay_timestamp() as replayed_at, pg_postmaster_start_time()::text as started_at,
          (select system_identifier::text from pg_control_system()) as system,
          (select count(*)::int from schema_migrations where name = any(${names})) as migrations`,
      LIMIT_MS,
    );
    if (row.migrations < names.length) throw new Error("its schema is older than this version");
    if (primaryServer && row.system !== primaryServer.system) {
      throw new Error("it is not a replica of the server of DATABASE_URL");
    }
    freshAt = row.standby ? freshnessOf(row) : freshnessOfPrimary(row, at);
    isAway = false;
  }

  function freshnessOf({ lsn, replayedAt }: ReplicaRow): number | undefined {
    const replayed = lsn === null ? -1n : toNumber(lsn);
    const reached = positions.findLastIndex((position) => position.lsn <= replayed);
    const proofs: number[] = [];
    if (reached >= 0) proofs.push(positions[reached]!.at);
    positions.splice(0, reached); // keeps the one that is reached
    if (replayedAt) proofs.push(Math.min(performance.now(), replayedAt.getTime() - clockOffset));
    return proofs.length === 0 ? undefined : Math.max(...proofs);
  }

  /** A server that is not a standby is the primary, or was promoted by mistake and receives nothing more. */
  function freshnessOfPrimary({ startedAt }: ReplicaRow, at: number): number {
    if (primary && startedAt !== primaryServer?.startedAt) {
      throw new Error("it is neither a standby nor the server of DATABASE_URL");
    }
    return at;
  }

  const replicaLoop = startWorkLoop(async () => {
    await askReplica().finally(first.resolve);
    const age = lagMs();
    if (fault() === undefined) outage.end();
    else {outage.report(
        age === undefined ? "its age is unknown" : `its answers are ${Math.round(age)} ms old`,
      );}
    return false;
  }, {
    pollMs,
    onError(error) {
      isAway = true;
      freshAt = undefined;
      outage.report(describeError(error));
    },
  });
  const primaryLoop = primary && startWorkLoop(async () => {
    await askPrimary(primary).finally(primaryAsked.resolve);
    replicaLoop.wake();
    return false;
  }, { pollMs, onError: () => {} }); // readiness and the pools report it
  const metric = observe(["customer_service.replica.lag"], () => {
    const age = lagMs();
    return { "customer_service.replica.lag": age === undefined ? [] : [{ value: age / 1_000 }] };
  });
  return {
    fault,
    recordError(error) {
      if (isSerializationFailure(error)) return "conflict";
      isAway = true; // until the next question succeeds
      outage.report(describeError(error));
      return "unavailable";
    },
    lagMs,
    first: first.promise,
    async [Symbol.asyncDispose]() {
      metric[Symbol.dispose]();
      await Promise.all([replicaLoop, primaryLoop].map((loop) => loop?.[Symbol.asyncDispose]()));
    },
  };
}

/** The position as a number: PostgreSQL writes it as two hexadecimal numbers, "0/1A2B3C4D". */
function toNumber(lsn: string): bigint {
  const [high = "0", low = "0"] = lsn.split("/");
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}
