/** Customers and their journal: what was accepted is there, once, and the row is what the journal says. */
import type { Check, Finding } from "./findings.ts";
import { changeAudits, type Facts, rowsOf, type Story } from "./facts.ts";
import type { Operation } from "./history.ts";

const promise = "durable, once";

export function checkActors(facts: Facts): Finding[] {
  return [
    ...facts.evidence.operations.flatMap((operation) => checkOperation(facts, operation)),
    ...[...facts.stories.values()].flatMap((story) => [
      ...checkVersions(story),
      ...checkCauses(facts, story),
      ...checkRow(facts, story),
    ]),
    ...checkSequences(facts),
    ...checkAudits(facts),
    ...checkTimes(facts),
  ];
}

function checkOperation(facts: Facts, operation: Operation): Finding[] {
  const { id, command, outcome, version, versionRepeated, mayChangeNothing, requestId, endedAt, attempts } =
    operation;
  const changes = facts.changesOf.get(id) ?? [];
  const applied = command === "open" ? facts.requestsOf.get(id)?.length ?? 0 : changes.length;
  const findings: Finding[] = [];
  const find = (check: Check, message: string) =>
    findings.push({ promise, check, message: `Operation ${id}, ${message}`, at: endedAt, operationId: id });
  if (applied > 1) find("applied twice", `${command}, was applied ${applied} times`);
  if (outcome === "ok" && applied === 0 && !mayChangeNothing) {
    find("accepted and lost", `${command}, was accepted and is not in the journal`);
  }
  if (requestId !== undefined && !facts.requests.some(({ request_id }) => request_id === requestId)) {
    find("accepted and lost", `${command}, was answered with request ${requestId}, which does not exist`);
  }
  if ((outcome === "refused" || outcome === "unsent") && applied > 0) {
    find("refused and applied", `${command}, was ${outcome} and is in the journal`);
  }
  const [change] = changes;
  if (change && version !== undefined && !command.startsWith("group.")) {
    const isRepetition = attempts.filter(({ answer }) => answer !== "UNREACHED").length > 1;
    // A repetition under a key shows the customer as it is by then.
    const isWrong = isRepetition ? version < change.version : version !== change.version;
    if (isWrong) {
      find(
        "answered another change",
        `${command}, made version ${change.version}; its answer has ${version}`,
      );
    }
  }
  if (version !== undefined && versionRepeated !== undefined && versionRepeated < version) {
    const message = `${command}, was answered with version ${version}, then ${versionRepeated}`;
    find("answered an older change when repeated", message);
  }
  return findings;
}

/** The row has the number of the journalled changes as its versions. */
function checkVersions({ customerId, row, changes }: Story): Finding[] {
  const check = "versions without a gap";
  const last = changes.at(-1);
  if (!row || !last) {
    const message = `Customer ${customerId} has ${row ? "a row and no journal" : "a journal and no row"}`;
    return [{ promise, check, message, customerId }];
  }
  const [stored, counted] = [
    [row.version, row.membership_version],
    [last.version, last.membershipVersion],
  ];
  if (String(stored) === String(counted)) return [];
  const message = `Customer ${customerId} has the versions ${stored}, and the journal counts ${counted}`;
  return [{ promise, check, message, customerId }];
}

/** Every change of the profile, an address or a group was asked for by a client. */
function checkCauses({ evidence: { run } }: Facts, { customerId, changes }: Story): Finding[] {
  return changes.filter(({ operation, row }) => !operation && row.event_type !== "erase").map(({ row }) => ({
    promise,
    check: "no invented change",
    message:
      `Customer ${customerId} has the change ${row.sequence}, ${row.event_type}, which no operation of ` +
      `the run with seed ${run.seed} has asked for`,
    customerId,
    at: Date.parse(row.at),
  }));
}

/** The row, the addresses and the memberships are those of the last change. */
function checkRow({ evidence }: Facts, { customerId, row, changes }: Story): Finding[] {
  const last = changes.at(-1);
  if (!row || !last) return [];
  const ofCustomer = <T extends { customer_id: string }>(table: string) =>
    rowsOf<T>(evidence, table).filter(({ customer_id }) => customer_id === customerId);
  type Address = { customer_id: string; line1: string | null };
  type Membership = { customer_id: string; group_id: string };
  const { status, ...values } = last.values;
  const pairs: [what: string, stored: unknown, expected: unknown][] = [
    ["email", row.email, values.email ?? null],
    ["first name", row.first_name, values.firstName ?? null],
    ["last name", row.last_name, values.lastName ?? null],
    ["status", status === undefined ? undefined : row.status, status],
    [
      "addresses",
      ofCustomer<Address>("customer_addresses").flatMap(({ line1 }) => line1 ?? []).toSorted(),
      [...last.streets].toSorted(),
    ],
    [
      "groups",
      ofCustomer<Membership>("customer_group_memberships").map(({ group_id }) => group_id).toSorted(),
      [...last.groupIds].toSorted(),
    ],
  ];
  return pairs.filter(([, stored, expected]) => String(stored) !== String(expected)).map(([what]) => ({
    promise,
    check: "the row has the last write",
    message: `Customer ${customerId} does not have the ${what} of its last journalled change`,
    customerId,
  }));
}

/** The journal of every actor counts 1, 2, 3 …, and the row of a request has the last number. */
function checkSequences({ journal, requests }: Facts): Finding[] {
  const check = "versions without a gap";
  const findings: Finding[] = [];
  const byActor = Map.groupBy(journal, ({ actor_kind, actor_id }) => `${actor_kind} ${actor_id}`);
  for (const [actor, rows] of byActor) {
    const sequences = rows.map(({ sequence }) => sequence).toSorted((a, b) => a - b);
    if (sequences.every((sequence, index) => sequence === index + 1)) continue;
    findings.push({ promise, check, message: `The journal of ${actor} counts ${sequences.join(", ")}` });
  }
  for (const { request_id, version } of requests) {
    const count = byActor.get(`gdpr_request ${request_id}`)?.length ?? 0;
    if (count === version) continue;
    const message = `Request ${request_id} has version ${version}, and ${count} rows in the journal`;
    findings.push({ promise, check, message, requestId: request_id });
  }
  return findings;
}

/** Every journalled change of a customer or a group has one audit event, and there is no other. */
function checkAudits({ journal, outbox }: Facts): Finding[] {
  const kinds = ["customer", "shopper_group"];
  const changes = Map.groupBy(
    journal.filter(({ actor_kind }) => kinds.includes(actor_kind)),
    ({ actor_id }) => actor_id,
  );
  const audits = Map.groupBy(
    changeAudits(outbox).filter(({ payload: { target } }) => kinds.includes(target?.type ?? "")),
    ({ payload: { target } }) => target?.id ?? "",
  );
  const ids = new Set([...changes.keys(), ...audits.keys()]);
  return [...ids].flatMap((id): Finding[] => {
    const [count, audited] = [changes.get(id)?.length ?? 0, audits.get(id)?.length ?? 0];
    if (count === audited) return [];
    const message = `Actor ${id} has ${count} changes and ${audited} audit events`;
    return [{ promise, check: "one audit event for each change", message, customerId: id }];
  });
}

const CLOCK_TOLERANCE_MS = 30_000;

/** Every change is dated by PostgreSQL, whatever the clock of the replica. */
function checkTimes({ journal, evidence: { run, end } }: Facts): Finding[] {
  const isOutside = (at: string) =>
    Date.parse(at) < run.startedAt - CLOCK_TOLERANCE_MS || Date.parse(at) > end.at + CLOCK_TOLERANCE_MS;
  return journal.filter(({ at }) => isOutside(at)).map(({ actor_kind, actor_id, sequence, at }) => ({
    promise,
    check: "dated by PostgreSQL",
    message: `Change ${sequence} of ${actor_kind} ${actor_id} is dated ${at}, outside of the run`,
  }));
}
