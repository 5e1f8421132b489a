/** Report of a run: a table of faults and promises, the findings with their details, and the verdict. */
import type { Checked } from "./check.ts";
import { type Finding, PROMISES } from "./findings.ts";
import { attemptsOf, recoveryOf } from "./check_replicas.ts";
import type { Facts } from "./facts.ts";
import type { Fault } from "./history.ts";

/** Columns of the table; a missing amount of evidence concerns no fault. */
const COLUMNS = PROMISES.filter((promise) => promise !== "evidence");
/** Time after a fault in which a finding may be its consequence. */
const AFTERMATH_MS = 15_000;
/** Findings of a check that are printed with their details. */
const DETAILED = 3;

export function writeReport({ facts, findings }: Checked): string {
  const { run, operations, reads, messages, faults, end } = facts.evidence;
  const outcomes = ["ok", "refused", "unknown", "unsent"].map((outcome) =>
    `${operations.filter((operation) => operation.outcome === outcome).length} ${outcome}`
  );
  const attempts = operations.reduce((sum, { attempts }) => sum + attempts.length, 0);
  return [
    "",
    `Seed ${run.seed}, suite ${run.suite}, ${Math.round((end.at - run.startedAt) / 1_000)} s, ` +
    `${run.replicas.length} replicas: ${faults.length} faults, ${operations.length} operations ` +
    `(${outcomes.join(", ")}) in ${attempts} attempts, ${reads.length} reads, ` +
    `${facts.requests.length} requests, ${messages.length} messages`,
    ...memoryOf(facts),
    "",
    ...tableOf(facts, findings),
    "",
    ...Map.groupBy(findings, ({ promise, check }) => `${promise}: ${check}`).entries()
      .flatMap(([check, found]) => describe(facts, check, found)),
    verdictOf(findings),
  ].join("\n");
}

export function verdictOf(findings: readonly Finding[]): string {
  if (findings.length === 0) return "HELD: every check has passed";
  const promises = new Set(findings.map(({ promise }) => promise));
  return `BROKEN: ${findings.length} findings (${[...promises].join("; ")})`;
}

/** Resident memory at the start, the peak and the end, by replica. */
function memoryOf({ evidence: { resources, run } }: Facts): string[] {
  if (resources.length < 3) return [];
  const sizes = run.replicas.map((replica) => {
    const all = resources.map(({ residentMiB }) => residentMiB[replica] ?? 0).filter((size) => size > 0);
    return `${replica} ${all[0]} / ${Math.max(...all)} / ${all.at(-1)}`;
  });
  return [`Resident memory in MiB, first / highest / last: ${sizes.join(", ")}`];
}

function tableOf({ evidence }: Facts, findings: readonly Finding[]): string[] {
  const attempts = attemptsOf(evidence);
  const kinds = Map.groupBy(evidence.faults, ({ name }) => name);
  const rows = [...kinds].map(([name, faults]) => {
    const cells = COLUMNS.filter((column) => column !== "recovery").map((column) => {
      const count = findings.filter((finding) =>
        finding.promise === column && isNear(finding, faults)
      ).length;
      return count === 0 ? "held" : `BROKEN ${count}`;
    });
    const during = attempts.filter(({ at }) =>
      faults.some(({ startedAt, endedAt }) => at >= startedAt && at <= endedAt)
    );
    const failed = during.filter(({ served }) => !served).length;
    const recoveries = faults.flatMap((fault) => recoveryOf(evidence, fault, attempts) ?? []);
    const recovery = recoveries.length === 0
      ? "–"
      : `${seconds(median(recoveries))}, at most ${seconds(Math.max(...recoveries))}`;
    return [`${name} (${faults.length}×)`, ...cells, recovery, `${failed} of ${during.length}`];
  });
  const whole = COLUMNS.map((column) => {
    const count = findings.filter(({ promise }) => promise === column).length;
    return count === 0 ? "held" : `BROKEN ${count}`;
  });
  const failed = attempts.filter(({ served }) => !served).length;
  return markdown([
    ["fault", ...COLUMNS, "attempts that failed during it"],
    ...rows,
    ["the whole run", ...whole, `${failed} of ${attempts.length}`],
  ]);
}

/** Whether the finding happened during or soon after one of the faults. */
function isNear({ at }: Finding, faults: readonly Fault[]): boolean {
  if (at === undefined) return false;
  return faults.some(({ startedAt, endedAt }) => at >= startedAt && at <= endedAt + AFTERMATH_MS);
}

function markdown([head = [], ...rows]: string[][]): string[] {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}

/** The findings of a check, the first of them with attempts, journal rows and events. */
function describe(facts: Facts, check: string, findings: readonly Finding[]): string[] {
  const shown = findings.slice(0, DETAILED).flatMap((finding) => [
    `  ${finding.message}`,
    ...detailsOf(facts, finding).map((line) => `    ${line}`),
  ]);
  const rest = findings.length - DETAILED;
  return [`BROKEN ${check}`, ...shown, ...(rest > 0 ? [`  … and ${rest} more`] : []), ""];
}

function detailsOf(facts: Facts, { operationId, customerId, requestId }: Finding): string[] {
  const { evidence: { operations }, journal, outbox } = facts;
  const operation = operations.find(({ id }) => id === operationId);
  const traces = operation ? [operation.trace] : [];
  const actors = [customerId ?? (operation && facts.customerOf(operation)), requestId];
  const time = (at: string | number) => new Date(at).toISOString().slice(11, 23);
  return [
    ...(operation?.attempts ?? []).map(({ at, ms, replica, answer }) =>
      `attempt at ${time(at)}, ${ms} ms, replica ${replica}: ${answer}`
    ),
    ...journal.filter(({ actor_id }) => actors.includes(actor_id))
      .toSorted((a, b) => a.sequence - b.sequence)
      .filter(({ principal_id }) => !operation || principal_id === operation.principal)
      .slice(-12)
      .map(({ sequence, event_type, principal_id, at, actor_kind }) =>
        `journal of the ${actor_kind}: ${sequence} ${event_type} by ${principal_id} at ${time(at)}`
      ),
    ...outbox.filter(({ payload }) => traces.includes(payload.traceId ?? ""))
      .slice(-12)
      .map(({ event_id, topic, published_at, payload }) =>
        `event ${event_id} of ${topic} ${payload.action ?? ""}, published at ${
          published_at === null ? "no time" : time(published_at)
        }`
      ),
  ];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function seconds(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1_000).toFixed(1)} s` : "never";
}
