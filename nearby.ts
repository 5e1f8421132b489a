/** Start-up step of the replica that serves lookups: DATABASE_READ_URL. */
import type { Config } from "./config/mod.ts";
import { openPool, REPLICA_LIMITS, type Sql } from "./db/connect.ts";
import { createReplicaLookups } from "./db/lookups.ts";
import { createNearbyLookups, type NearbyLookups } from "./db/nearby_lookups.ts";
import { type ReplicaWatch, startReplicaWatch } from "./db/replica.ts";

/** Connections of a pool for lookups. */
export const LOOKUP_POOL_SIZE = 4;

/** Where the primary serves lookups. */
export interface PrimaryLookups {
  /** A pool of the role customer_reader. */
  reader: Sql;
  lookups: NearbyLookups;
}

/** The replica and what it serves. */
export interface NearbyReplica {
  sql: Sql;
  watch: ReplicaWatch;
  lookups: NearbyLookups;
}

/**
 * Opens the pool of the replica and watches it. The start does not wait for it: until it answers, the primary does.
 *
 * @param primary undefined where the primary is not configured
 * @returns undefined without DATABASE_READ_URL
 */
export function openNearby(
  { databaseReadUrl, databaseReadMaxLagMs }: Config,
  primary: PrimaryLookups | undefined,
  stack: AsyncDisposableStack,
): NearbyReplica | undefined {
  if (databaseReadUrl === undefined) return undefined;
  const sql = stack.adopt(
    openPool(databaseReadUrl, "customer_reader", LOOKUP_POOL_SIZE, REPLICA_LIMITS),
    (sql) => sql.end({ timeout: 1 }),
  );
  const watch = stack.use(
    startReplicaWatch(sql, { primary: primary?.reader, maxLagMs: databaseReadMaxLagMs }),
  );
  const replica = createReplicaLookups(sql);
  return { sql, watch, lookups: createNearbyLookups({ replica, watch, primary: primary?.lookups }) };
}
