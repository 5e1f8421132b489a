/** Reads: every answer is the customer's own, committed, and no older than what was acknowledged before. */
import type { Check, Finding } from "./findings.ts";
import type { Change, Facts } from "./facts.ts";
import type { Read, Values } from "./history.ts";

const promise = "reads";

export function checkReads(facts: Facts): Finding[] {
  const acknowledged = acknowledgedChanges(facts);
  const erased = erasureTimes(facts);
  return facts.evidence.reads.filter(({ answer }) => answer === "ok").flatMap((read) => {
    const changes = facts.stories.get(read.customerId)?.changes ?? [];
    const oldest = oldestAllowed(read, acknowledged.get(read.customerId) ?? []);
    const matching = changes.filter((change) => isAnsweredBy(change, read));
    const find = (check: Check, message: string): Finding[] => [{
      promise,
      check,
      message: `${read.method} at replica ${read.replica} answered ${message}`,
      at: read.endedAt,
      customerId: read.customerId,
    }];
    const erasedAt = erased.get(read.customerId) ?? Infinity;
    if (erasedAt < read.startedAt && hasPersonalValue(read.values)) {
      return find("no erased person", `values of customer ${read.customerId} after the erasure`);
    }
    if (matching.length === 0) {
      return find("foreign or uncommitted", `values that customer ${read.customerId} never had together`);
    }
    if (matching.at(-1)!.row.sequence < oldest) {
      return find(
        "stale",
        `change ${matching.at(-1)!.row.sequence}, after change ${oldest} was acknowledged`,
      );
    }
    return [];
  });
}

/** Whether the read can be an answer after this change. */
function isAnsweredBy({ version, values, groupIds }: Change, read: Read): boolean {
  if (read.version !== undefined && read.version !== version) return false;
  const given = Object.entries(read.values ?? {}) as [keyof Values, string | null | undefined][];
  const different = given.filter(([field, value]) => (value ?? null) !== (values[field] ?? null))
    // No operation writes the status of an erased customer.
    .filter(([field]) => field !== "status" || values.status !== undefined);
  if (different.length > 0) return false;
  return !read.groupIds || String(read.groupIds.toSorted()) === String([...groupIds].toSorted());
}

interface Acknowledged {
  at: number;
  sequence: number;
}

/** Changes of each customer whose operation was accepted, in the order of the answers. */
function acknowledgedChanges({ evidence: { operations }, changesOf }: Facts): Map<string, Acknowledged[]> {
  const acknowledged = operations.filter(({ outcome }) => outcome === "ok").flatMap(({ id, attempts }) => {
    const first = attempts.find(({ answer }) => answer === "ok");
    const [change] = changesOf.get(id) ?? [];
    if (!first || !change) return [];
    return [{ at: first.at + first.ms, sequence: change.row.sequence, customerId: change.row.actor_id }];
  });
  return Map.groupBy(acknowledged, ({ customerId }) => customerId);
}

function oldestAllowed({ startedAt }: Read, acknowledged: readonly Acknowledged[]): number {
  return Math.max(0, ...acknowledged.filter(({ at }) => at < startedAt).map(({ sequence }) => sequence));
}

/** When each erased customer's erasure was known to be committed: participants have read its event. */
function erasureTimes({ evidence: { confirmations } }: Facts): Map<string, number> {
  const times = new Map<string, number>();
  for (const { customerId, at } of confirmations) {
    times.set(customerId, Math.min(at, times.get(customerId) ?? Infinity));
  }
  return times;
}

function hasPersonalValue({ email, firstName, lastName }: Values = {}): boolean {
  return Boolean(email || firstName || lastName);
}
