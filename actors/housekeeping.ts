/** Housekeeping: deletes expired and finished rows, every ten minutes. */
import { instant } from "../db/clock.ts";
import type { Sql } from "../db/connect.ts";
import { deleteDoneEffects } from "../db/effects.ts";
import { deleteExpiredSessions } from "../db/ended_sessions.ts";
import { deleteExpiredExports } from "../db/gdpr_exports.ts";
import { destroyUnneededContacts } from "../db/guests.ts";
import { deleteExpiredKeys } from "../db/idempotency_keys.ts";
import { purgeOutbox } from "../db/outbox.ts";
import { deleteExpiredCounts } from "../db/rate_limit_counts.ts";
import { vacuumAfterErasures } from "../db/vacuum.ts";
import { startWorkLoop, type WorkLoop } from "../db/work.ts";
import { outageHandlers } from "./runtime/failures.ts";

const EVERY_MS = 10 * 60_000;
/** Retention of published events and performed effects, for inspection. */
const RETENTION_MS = 30 * 24 * 60 * 60_000;

/** @param sql a pool of the role customer_worker */
export function startHousekeeping(sql: Sql): WorkLoop {
  const step = async () => {
    const now = instant(sql);
    await deleteExpiredKeys(sql, now);
    await deleteDoneEffects(sql, instant(sql, undefined, -RETENTION_MS));
    await purgeOutbox(sql, RETENTION_MS);
    await deleteExpiredExports(sql, now);
    await deleteExpiredCounts(sql, now);
    await deleteExpiredSessions(sql, now);
    await destroyUnneededContacts(sql);
    await vacuumAfterErasures(sql);
    return false;
  };
  return startWorkLoop(step, { pollMs: EVERY_MS, ...outageHandlers("tidy up") });
}
