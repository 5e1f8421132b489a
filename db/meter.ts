/** Metrics of waiting work and of GDPR requests, measured at every export. */
import { type Attributes, type Observations, observe } from "../telemetry/metrics.ts";
import { HOLD_GROUNDS } from "../domain/holds.ts";
import { NOTICE_KINDS } from "../domain/notices.ts";
import type { Sql } from "./connect.ts";
import type { GdprRequestRow } from "./gdpr_requests.ts";
import { inTime } from "./time_limit.ts";
import { countWork, type WorkCounts } from "./work_counts.ts";

/** Time for which counts are cached, however often a reader exports, in milliseconds. */
const FRESH_MS = 15_000;
const LIMIT_MS = 5_000;

const TYPES = ["ACCESS", "ERASURE", "PORTABILITY", "RECTIFICATION"];
const OUTCOMES: readonly NonNullable<GdprRequestRow["outcome"]>[] = [
  "FULFILLED",
  "FULFILLED_WITH_WAIVERS",
  "NOT_FETCHED",
  "CANCELLED",
  "REFUSED",
  "NOT_IDENTIFIED",
];
/** Statuses with the outcomes of the completed requests. */
const STATES = [
  { status: "PENDING", outcome: null },
  { status: "IN_PROGRESS", outcome: null },
  ...OUTCOMES.map((outcome) => ({ status: "COMPLETED", outcome })),
];

/**
 * Registers the metrics of waiting work in all stores and of GDPR requests. Every replica reports the same
 * values.
 *
 * @param sql a pool of customer_worker
 */
export function meterWork(sql: Sql): Disposable {
  let standing: Observations = {};
  let counted = -Infinity;
  return observe([
    "customer_service.outbox.backlog",
    "customer_service.outbox.oldest_age",
    "customer_service.effects.due",
    "customer_service.effects.poisoned",
    "customer_service.effects.failing",
    "customer_service.timers.due",
    "customer_service.timers.oldest_age",
    "customer_service.timers.failing",
    "customer_service.gdpr.requests",
    "customer_service.gdpr.requests.held",
    "customer_service.gdpr.requests.residue",
    "customer_service.gdpr.requests.at_risk",
    "customer_service.gdpr.requests.overdue",
    "customer_service.gdpr.requests.proposed",
    "customer_service.gdpr.requests.waiting_for_download",
    "customer_service.gdpr.notices.due",
    "customer_service.gdpr.notices.overdue",
    "customer_service.gdpr.notices.expired",
    "customer_service.gdpr.notices.undeliverable",
    "customer_service.gdpr.holds",
    "customer_service.gdpr.holds.old",
    "customer_service.gdpr.participants.overdue",
  ], async () => {
    const now = performance.now();
    if (now - counted < FRESH_MS) return standing;
    standing = standingOf(await inTime(countWork(sql), LIMIT_MS));
    counted = now;
    return standing;
  });
}

/** A topic to which every change publishes: it has a value even if no event waits. */
const AUDIT = "audit.event";

/** Reports zeros too: a missing series raises no alert. */
function standingOf(
  { outbox, effects, timers, requests, notices, holds, participants }: WorkCounts,
): Observations {
  type Count = (row: WorkCounts["requests"][number]) => number;
  const open = requests.filter(({ outcome }) => outcome === null);
  const total = (count: Count, rows = open) => rows.reduce((sum, row) => sum + count(row), 0);
  const byType = (count: Count) =>
    TYPES.map((type) => ({
      value: total(count, open.filter((row) => row.type === type)),
      attributes: typed(type),
    }));
  const topics = new Set([AUDIT, ...outbox.map(({ topic }) => topic)]);
  const byTopic = (count: (row: WorkCounts["outbox"][number]) => number) =>
    [...topics].map((topic) => ({
      value: outbox.filter((row) => row.topic === topic).reduce((sum, row) => sum + count(row), 0),
      attributes: { "messaging.destination.name": topic },
    }));
  const byKind = (count: (row: WorkCounts["notices"][number]) => number) =>
    NOTICE_KINDS.map((kind) => ({
      value: notices.filter((row) => row.kind === kind).reduce((sum, row) => sum + count(row), 0),
      attributes: { "customer_service.gdpr.notice": kind },
    }));
  const byGround = (count: (row: WorkCounts["holds"][number]) => number) =>
    HOLD_GROUNDS.map((ground) => ({
      value: holds.filter((row) => row.ground === ground).reduce((sum, row) => sum + count(row), 0),
      attributes: { "customer_service.hold.ground": ground },
    }));
  return {
    "customer_service.outbox.backlog": byTopic(({ backlog }) => backlog),
    "customer_service.outbox.oldest_age": byTopic(({ oldestAge }) => oldestAge),
    "customer_service.effects.due": [{ value: effects.due }],
    "customer_service.effects.poisoned": [{ value: effects.poisoned }],
    "customer_service.effects.failing": [{ value: effects.failing }],
    "customer_service.timers.failing": [{ value: timers.failing }],
    "customer_service.timers.due": [{ value: timers.due }],
    "customer_service.timers.oldest_age": [{ value: timers.oldestAge }],
    "customer_service.gdpr.requests": TYPES.flatMap((type) =>
      STATES.map(({ status, outcome }) => ({
        value: requests.find((row) => row.type === type && row.status === status && row.outcome === outcome)
          ?.requests ?? 0,
        attributes: {
          ...typed(type),
          "customer_service.gdpr.status": status,
          ...(outcome && { "customer_service.gdpr.outcome": outcome }),
        },
      }))
    ),
    "customer_service.gdpr.requests.held": [{ value: total(({ held }) => held) }],
    "customer_service.gdpr.requests.residue": [{ value: total(({ residue }) => residue) }],
    "customer_service.gdpr.requests.at_risk": byType(({ atRisk }) => atRisk),
    "customer_service.gdpr.requests.overdue": byType(({ overdue }) => overdue),
    "customer_service.gdpr.requests.proposed": [{ value: total(({ proposed }) => proposed) }],
    "customer_service.gdpr.requests.waiting_for_download": [
      { value: total(({ waitingForDownload }) => waitingForDownload) },
    ],
    "customer_service.gdpr.notices.due": byKind(({ due }) => due),
    "customer_service.gdpr.notices.overdue": byKind(({ overdue }) => overdue),
    "customer_service.gdpr.notices.expired": byKind(({ expired }) => expired),
    "customer_service.gdpr.notices.undeliverable": byKind(({ undeliverable }) => undeliverable),
    "customer_service.gdpr.holds": byGround(({ inEffect }) => inEffect),
    "customer_service.gdpr.holds.old": byGround(({ old }) => old),
    "customer_service.gdpr.participants.overdue": participants.map(({ service, overdue }) => ({
      value: overdue,
      attributes: { "customer_service.peer": service },
    })),
  };
}

function typed(type: string): Attributes {
  return { "customer_service.gdpr.type": type };
}
