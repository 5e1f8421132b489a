/**
 * Checks of a run's evidence: what was accepted is there, once; reads, events, requests and replicas have done what is
 * promised. A check returns its findings, none if the promise was held.
 */
import { checkActors } from "./check_actors.ts";
import { checkEvents } from "./check_events.ts";
import { checkReads } from "./check_reads.ts";
import { checkReplicas } from "./check_replicas.ts";
import { checkRequests } from "./check_requests.ts";
import { type Facts, gatherFacts } from "./facts.ts";
import type { Finding } from "./findings.ts";
import type { Evidence } from "./history.ts";

export interface Checked {
  facts: Facts;
  findings: Finding[];
}

export async function checkEvidence(evidence: Evidence): Promise<Checked> {
  const facts = gatherFacts(evidence);
  const findings = [
    ...checkActors(facts),
    ...checkReads(facts),
    ...checkEvents(facts),
    ...await checkRequests(facts),
    ...checkReplicas(facts),
    ...checkAmount(evidence),
  ];
  return { facts, findings };
}

/** A run that saw almost nothing proves almost nothing. */
function checkAmount({ operations, reads, faults, ready, messages }: Evidence): Finding[] {
  const amounts: [what: string, count: number, least: number][] = [
    ["accepted operations", operations.filter(({ outcome }) => outcome === "ok").length, 40],
    ["answered reads", reads.filter(({ answer }) => answer === "ok").length, 20],
    ["faults", faults.length, 1],
    ["answers of /readyz", ready.filter(({ status }) => status !== undefined).length, 20],
    ["messages in Kafka", messages.length, 100],
  ];
  const lossy = faults.filter(({ lostAnswers }) => lostAnswers !== undefined);
  if (lossy.length > 0) {
    amounts.push(["lost answers", lossy.reduce((sum, { lostAnswers = 0 }) => sum + lostAnswers, 0), 1]);
  }
  return amounts.filter(([, count, least]) => count < least).map(([what, count, least]) => ({
    promise: "evidence",
    check: "enough was tried",
    message: `${count} ${what}, expected at least ${least}`,
  }));
}
