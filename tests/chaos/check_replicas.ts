/** Replicas: no unexpected error, `/readyz` is true, they end in order, and they serve soon after a fault. */
import type { Finding } from "./findings.ts";
import type { Facts } from "./facts.ts";
import { type Evidence, type Fault, SELF_END } from "./history.ts";
import { isServed } from "./load.ts";

/** Time in which `/readyz` has to notice that a replica serves nothing, or serves again. */
const UNTRUE_MS = 8_000;
const LEAST_ATTEMPTS = 5;
export function checkReplicas({ evidence }: Facts): Finding[] {
  return [
    ...checkErrors(evidence),
    ...checkReadiness(evidence),
    ...checkExits(evidence),
    ...checkRecovery(evidence),
  ];
}

/** Codes that mean a defect. */
const DEFECTS = /^(INTERNAL.*|UNKNOWN|HTTP_500|DATA_LOSS|UNIMPLEMENTED|MALFORMED|UNAUTHENTICATED)$/;

function checkErrors({ operations, reads, confirmations }: Evidence): Finding[] {
  const promise = "durable, once";
  const check = "no unexpected error";
  const findings: Finding[] = [];
  for (const { id, command, attempts } of operations) {
    for (const { answer, replica, at } of attempts) {
      if (!DEFECTS.test(answer)) continue;
      const message = `Replica ${replica} answered ${command} with ${answer}`;
      findings.push({ promise, check, message, at, operationId: id });
    }
  }
  for (const { answer, method, replica, endedAt } of reads) {
    if (!DEFECTS.test(answer)) continue;
    const message = `Replica ${replica} answered ${method} with ${answer}`;
    findings.push({ promise: "reads", check, message, at: endedAt });
  }
  for (const { status, service, requestId, at } of confirmations) {
    if (!DEFECTS.test(status)) continue;
    const message = `${service} was answered ${status} when it confirmed request ${requestId}`;
    findings.push({ promise: "GDPR course", check, message, at, requestId });
  }
  return findings;
}

export interface Served {
  replica: string;
  /** When the answer arrived, or the attempt was given up. */
  at: number;
  startedAt: number;
  served: boolean;
  writes: boolean;
}

/** Every attempt of a command or a read, in the order of the answers. */
export function attemptsOf({ operations, reads }: Evidence): Served[] {
  return [
    ...operations.flatMap(({ attempts }) =>
      attempts.map(({ at, ms, replica, answer }) => ({
        replica,
        startedAt: at,
        at: at + ms,
        served: isServed(answer),
        writes: true,
      }))
    ),
    ...reads.map(({ replica, startedAt, endedAt, answer }) => ({
      replica,
      startedAt,
      at: endedAt,
      served: isServed(answer),
      writes: false,
    })),
  ].toSorted((a, b) => a.at - b.at);
}

/** Faults of a replica that may hold rows meanwhile, so that the others refuse changes of these customers. */
const HOLDS_ROWS = /^(SIGSTOP a replica|link silent)/;
/** Time until PostgreSQL ends the transactions of such a replica. */
const HELD_MS = 15_000;

/** A replica that refuses every change for seconds is not ready, and one that accepts them is. */
function checkReadiness(evidence: Evidence): Finding[] {
  const writes = attemptsOf(evidence).filter(({ writes }) => writes);
  return evidence.run.replicas.flatMap((replica) => {
    const samples = evidence.ready.filter((sample) => sample.replica === replica);
    return streaks(writes.filter((attempt) => attempt.replica === replica)).flatMap((streak): Finding[] => {
      const [from, to] = [streak[0]!.at, streak.at(-1)!.at];
      const { served } = streak[0]!;
      if (streak.length < LEAST_ATTEMPTS || to - from < UNTRUE_MS) return [];
      const isHeld = evidence.faults.some(({ name, target, startedAt, endedAt }) =>
        HOLDS_ROWS.test(name) && target !== replica && startedAt < to && endedAt + HELD_MS > from
      );
      if (!served && isHeld) return [];
      const during = samples.filter(({ at }) => at > from && at < to);
      const isUntrue = during.length >= LEAST_ATTEMPTS &&
        during.every(({ status }) => served ? status === 503 : status === 200);
      if (!isUntrue) return [];
      const message = served
        ? `Replica ${replica} accepted ${streak.length} changes in ${to - from} ms, and /readyz said 503`
        : `Replica ${replica} refused ${streak.length} changes in ${to - from} ms, and /readyz said 200`;
      return [{ promise: "readyz", check: "readyz is true", message, at: from }];
    });
  });
}

/** Longest runs of attempts with the same result. */
function streaks(attempts: readonly Served[]): Served[][] {
  const found: Served[][] = [];
  for (const attempt of attempts) {
    const last = found.at(-1);
    if (last?.[0]?.served === attempt.served) last.push(attempt);
    else found.push([attempt]);
  }
  return found;
}

/** A replica ends only when it is asked to, and SIGTERM ends it with 0, unless PostgreSQL was away too. */
function checkExits({ faults }: Evidence): Finding[] {
  return faults.filter((fault) => {
    if (fault.name === SELF_END) return true;
    if (fault.exitCode === undefined || fault.exitCode === 0) return false;
    return !faults.some((other) =>
      other !== fault && /PostgreSQL|postmaster|link|max_/.test(other.name) && overlaps(fault, other)
    );
  }).map(({ name, target, exitCode, startedAt }) => ({
    promise: "durable, once",
    check: "orderly end",
    message: `Replica ${target} ended with ${exitCode}: ${name}`,
    at: startedAt,
  }));
}

function overlaps(a: Fault, b: Fault): boolean {
  return a.startedAt < b.endedAt && b.startedAt < a.endedAt;
}

/** Returns the time from the end of a fault until every replica has served; undefined if another one interferes. */
export function recoveryOf(
  evidence: Evidence,
  fault: Fault,
  attempts: readonly Served[],
): number | undefined {
  const { recoveryMs } = evidence.run;
  const limit = fault.endedAt + recoveryMs;
  const interferes = evidence.faults.some((other) =>
    other !== fault && other.startedAt < limit && other.endedAt > fault.startedAt
  );
  const served = evidence.run.replicas.map((replica) =>
    attempts.find((attempt) => attempt.replica === replica && attempt.served && attempt.at > fault.endedAt)
      ?.at
  );
  const last = Math.max(...served.map((at) => (at ?? Infinity) - fault.endedAt));
  if (last <= recoveryMs) return last;
  // Without load after the fault nothing can be concluded.
  const isObserved = evidence.run.replicas.every((replica) =>
    attempts.some((attempt) => attempt.replica === replica && attempt.startedAt > limit)
  );
  return interferes || !isObserved ? undefined : last;
}

function checkRecovery(evidence: Evidence): Finding[] {
  const attempts = attemptsOf(evidence);
  return evidence.faults.flatMap((fault): Finding[] => {
    const recovery = recoveryOf(evidence, fault, attempts) ?? 0;
    if (recovery <= evidence.run.recoveryMs) return [];
    const time = Number.isFinite(recovery) ? `${recovery} ms` : "never";
    const message = `After "${fault.name}" (${fault.target}), all replicas served again: ${time}`;
    return [{ promise: "recovery", check: "recovery", message, at: fault.endedAt }];
  });
}
