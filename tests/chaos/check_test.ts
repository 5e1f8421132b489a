/** The checker finds each broken promise: a history that holds, and changes of it that break one promise each. */
import assert from "node:assert/strict";
import { checkEvidence } from "./check.ts";
import { type Check, CHECKS, type Finding } from "./findings.ts";
import {
  type Evidence,
  type Message,
  openHistory,
  type Operation,
  type Read,
  readEvidence,
  type Row,
} from "./history.ts";
import { verdictOf, writeReport } from "./report.ts";
import RECEIPT from "./receipt_fixture.json" with { type: "json" };

const STORE = RECEIPT.document.storeId;
const ERASED = RECEIPT.document.customerId;
const REQUEST = RECEIPT.document.requestId;
const CUSTOMER = "00000000-0000-4000-8000-0000000000c1";
const START = Date.parse("2026-11-29T20:48:00Z");
const PARTICIPANTS = ["order-service", "payment-service", "communication-service"];
const SEED = 7;

const timeOf = (second: number) => new Date(START + second * 1_000).toISOString();
const traceOf = (id: number) => String(id).padStart(32, "0");
const principalOf = (id: number) => `00000000-0000-4000-8000-${String(id).padStart(12, "0")}`;
const valueOf = (id: number) => `Value${SEED}q${id}z`;

interface Event {
  id: number;
  command: string;
  customerId: string;
  sequence: number;
  /** Seconds after the start. */
  second: number;
}

/** A run in which every promise was held: 45 changes of a customer, an erasure, 25 reads and one fault. */
function heldRun(): Evidence {
  const changes: Event[] = Array.from({ length: 45 }, (_, index) => ({
    id: index + 1,
    command: index === 0 ? "register" : "profile.update",
    customerId: CUSTOMER,
    sequence: index + 1,
    second: index,
  }));
  const erased: Event[] = [
    { id: 100, command: "register", customerId: ERASED, sequence: 1, second: 1 },
    { id: 0, command: "erase", customerId: ERASED, sequence: 2, second: 10 },
  ];
  const events = [...changes, ...erased];
  const outbox = events.flatMap(outboxOf).concat(erasureEvents()).map((row, seq) => ({ ...row, seq }));
  return {
    run: {
      kind: "run",
      seed: SEED,
      suite: "test",
      replicas: ["a"],
      participants: PARTICIPANTS,
      records: 2,
      recoveryMs: 10_000,
      startedAt: START,
    },
    end: { kind: "end", at: START + 60_000, dumpedAt: timeOf(60) },
    operations: [
      ...events.filter(({ id }) => id > 0).map(operationOf),
      { ...operationOf(erased[0]!), id: 101, command: "open", trace: traceOf(101), requestId: REQUEST },
    ],
    reads: Array.from({ length: 25 }, (_, index) => readAt(index + 2, index + 1)),
    faults: [{
      kind: "fault",
      name: "kill -9 a replica",
      target: "a",
      startedAt: START + 5_000,
      endedAt: START + 6_000,
    }],
    ready: Array.from(
      { length: 60 },
      (_, at) => ({ kind: "ready", at: START + at * 1_000, replica: "a", status: 200 }),
    ),
    confirmations: PARTICIPANTS.map((service) => ({
      kind: "confirmation",
      at: START + 12_000,
      service,
      requestId: REQUEST,
      customerId: ERASED,
      status: "HEARD",
    })),
    downloads: [{
      kind: "download",
      requestId: REQUEST,
      records: Object.fromEntries(PARTICIPANTS.map((service) => [service, [1, 2]])),
    }],
    resources: [],
    logs: [{ name: "a-0.log", text: "Ready: HTTP" }],
    messages: outbox.map(messageOf),
    tables: {
      customers: [customerRow(CUSTOMER, 45, valueOf(45)), customerRow(ERASED, 2, null)],
      actor_events: [...events.map(journalOf), ...requestJournal()],
      outbox,
      gdpr_requests: [{
        store_id: STORE,
        request_id: REQUEST,
        customer_id: ERASED,
        type: "ERASURE",
        status: "COMPLETED",
        outcome: "FULFILLED",
        version: 2,
        created_at: timeOf(5),
        snapshot: { value: "COMPLETED" },
      }],
      gdpr_participants: PARTICIPANTS.map((service) => ({
        request_id: REQUEST,
        service,
        state: "CONFIRMED",
      })),
      erasure_receipts: [structuredClone(RECEIPT) as Row],
      timers: [{ name: "clock.at_risk", actor_id: REQUEST, due_at: timeOf(9_000) }],
      effects: [{ type: "erasure.verify", effect_id: "e", state: "DONE", due_at: timeOf(20) }],
    },
  };
}

function operationOf({ id, command, customerId, second, sequence }: Event): Operation {
  const values = command === "register"
    ? { email: `${valueOf(id).toLowerCase()}@chaos.example`, firstName: valueOf(id) }
    : { firstName: valueOf(id) };
  const at = START + second * 1_000;
  return {
    kind: "operation",
    id,
    client: 1,
    command,
    storeId: STORE,
    customerId,
    principal: principalOf(id),
    trace: traceOf(id),
    insists: true,
    values,
    mayChangeNothing: command === "open",
    outcome: "ok",
    version: sequence,
    attempts: [{ at, ms: 50, replica: "a", answer: "ok" }],
    startedAt: at,
    endedAt: at + 50,
  };
}

function journalOf({ id, command, customerId, sequence, second }: Event): Row {
  return {
    actor_kind: "customer",
    actor_id: customerId,
    sequence,
    event_type: command,
    principal_id: principalOf(id),
    at: timeOf(second),
  };
}

function requestJournal(): Row[] {
  return ["open", "verified"].map((event_type, index) => ({
    actor_kind: "gdpr_request",
    actor_id: REQUEST,
    sequence: index + 1,
    event_type,
    principal_id: ERASED,
    at: timeOf(5 + index),
  }));
}

const auditOf = (id: number, action: string, target: { type: string; id: string }, second: number) => ({
  traceId: traceOf(id),
  action,
  occurredAt: timeOf(second),
  actor: { id: id === 101 ? ERASED : principalOf(id) },
  target,
});

function outboxOf({ id, customerId, sequence, second }: Event): Row[] {
  const payload = auditOf(id, "CUSTOMER_CHANGED", { type: "customer", id: customerId }, second);
  return [outboxRow(`${customerId}-${sequence}`, "audit.event", customerId, payload)];
}

function erasureEvents(): Row[] {
  const target = { type: "gdpr_request", id: REQUEST };
  return [
    outboxRow("opened", "audit.event", ERASED, auditOf(101, "GDPR_REQUEST_OPENED", target, 5)),
    outboxRow("erased", "customer.erased", ERASED, { requestId: REQUEST, customerId: ERASED }),
    ...Array.from({ length: 60 }, (_, index) =>
      outboxRow(`read-${index}`, "audit.event", CUSTOMER, {
        ...auditOf(500 + index, "CUSTOMER_READ", { type: "customer", id: CUSTOMER }, 3),
      })),
  ];
}

function outboxRow(eventId: string, topic: string, key: string, payload: Row): Row {
  return {
    event_id: eventId,
    store_id: STORE,
    topic,
    key,
    created_at: timeOf(3),
    published_at: timeOf(5),
    payload,
  };
}

function messageOf({ event_id, topic, key, payload }: Row, offset: number): Message {
  return {
    topic: String(topic),
    partition: 0,
    offset,
    key: topic === "customer.erased" ? `${STORE}/${key}` : String(key),
    eventId: String(event_id),
    payload: payload as Row,
    headers: {},
  };
}

function customerRow(customerId: string, version: number, firstName: string | null): Row {
  return {
    store_id: STORE,
    customer_id: customerId,
    email: firstName && `${valueOf(1).toLowerCase()}@chaos.example`,
    first_name: firstName,
    last_name: null,
    status: "ACTIVE",
    version,
    membership_version: 1,
    anonymized_at: firstName === null ? timeOf(10) : null,
  };
}

/** A read of the customer at a version, which is the number of the operation that has made it. */
function readAt(version: number, second: number): Read {
  return {
    kind: "read",
    method: "getCustomer",
    replica: "a",
    storeId: STORE,
    customerId: CUSTOMER,
    startedAt: START + second * 1_000 + 60,
    endedAt: START + second * 1_000 + 80,
    answer: "ok",
    version,
    values: {
      email: `${valueOf(1).toLowerCase()}@chaos.example`,
      firstName: valueOf(version),
      lastName: null,
      status: "ACTIVE",
    },
  };
}

const row = (evidence: Evidence, table: string, index = 0) => evidence.tables[table]![index]!;
const remove = <T>(values: T[], isWrong: (value: T) => boolean) => {
  const index = values.findIndex(isWrong);
  assert.ok(index >= 0);
  values.splice(index, 1);
};

/** Each check with a change of the run that it must find; other checks may find it too. */
const BROKEN: readonly [check: Check, breakRun: (evidence: Evidence) => void][] = [
  [
    "accepted and lost",
    (evidence) => remove(evidence.tables.actor_events!, ({ sequence }) => sequence === 45),
  ],
  ["accepted and lost", (evidence) => evidence.operations[3]!.requestId = CUSTOMER],
  ["applied twice", ({ tables, messages }) => {
    tables.actor_events!.push({ ...tables.actor_events![44], sequence: 46 });
    const audit = tables.outbox![44]!;
    tables.outbox!.push({ ...audit, event_id: "again", seq: 999 });
    messages.push(messageOf({ ...audit, event_id: "again" }, 999));
    tables.customers![0]!.version = 46;
  }],
  ["refused and applied", ({ operations }) => operations[3]!.outcome = "refused"],
  ["refused and applied", ({ operations }) => operations[3]!.outcome = "unsent"],
  ["answered another change", ({ operations }) => operations[3]!.version = 9],
  ["answered an older change when repeated", ({ operations }) => operations[3]!.versionRepeated = 2],
  ["versions without a gap", (evidence) => row(evidence, "actor_events", 44).sequence = 46],
  ["versions without a gap", (evidence) => row(evidence, "customers").version = 44],
  ["versions without a gap", (evidence) => row(evidence, "gdpr_requests").version = 3],
  ["no invented change", ({ operations }) => remove(operations, ({ id }) => id === 45)],
  ["the row has the last write", (evidence) => row(evidence, "customers").first_name = valueOf(44)],
  ["one audit event for each change", ({ tables, messages }) => {
    remove(tables.outbox!, ({ event_id }) => event_id === `${CUSTOMER}-45`);
    remove(messages, ({ eventId }) => eventId === `${CUSTOMER}-45`);
  }],
  ["dated by PostgreSQL", (evidence) => row(evidence, "actor_events", 44).at = timeOf(15 * 86_400)],
  ["no unexpected error", ({ operations }) => operations[3]!.attempts[0]!.answer = "INTERNAL_SERVER_ERROR"],
  ["no unexpected error", ({ reads }) => reads[3]!.answer = "UNKNOWN"],
  ["no unexpected error", ({ confirmations }) => confirmations[0]!.status = "INTERNAL"],
  ["stale", ({ reads }) => reads[20] = { ...readAt(3, 21) }],
  ["foreign or uncommitted", ({ reads }) => reads[3]!.values!.firstName = valueOf(100)],
  ["foreign or uncommitted", ({ reads }) => reads[3]!.values!.lastName = "Never"],
  ["no erased person", ({ reads }) => {
    reads.push({ ...readAt(1, 20), customerId: ERASED, values: { firstName: valueOf(100) } });
  }],
  ["every event is published", (evidence) => row(evidence, "outbox", 9).published_at = null],
  ["no topic delays another", ({ faults, tables }) => {
    const refusal = { startedAt: START + 30_000, endedAt: START + 45_000, target: "customer.updated" };
    faults.push({ kind: "fault", name: "one topic refuses", ...refusal });
    Object.assign(tables.outbox![3]!, { created_at: timeOf(32), published_at: timeOf(46) });
  }],
  ["no event is lost", ({ messages }) => remove(messages, ({ eventId }) => eventId === "opened")],
  [
    "no event is invented",
    ({ messages }) => messages.push({ ...messages[3]!, eventId: "another", offset: 999 }),
  ],
  [
    "no event is changed",
    ({ messages }) => messages[3]!.payload = { ...messages[3]!.payload, traceId: "another" },
  ],
  ["order within an actor", ({ messages }) => {
    [messages[3]!.offset, messages[4]!.offset] = [messages[4]!.offset, messages[3]!.offset];
  }],
  ["no request is stuck", (evidence) => row(evidence, "gdpr_requests").status = "IN_PROGRESS"],
  ["no request is stuck", (evidence) => row(evidence, "gdpr_requests").outcome = "REFUSED"],
  ["no request is falsely done", (evidence) => row(evidence, "gdpr_participants").state = "OVERDUE"],
  ["no request is falsely done", ({ confirmations }) => confirmations.pop()],
  ["no request is falsely done", (evidence) => row(evidence, "customers", 1).anonymized_at = null],
  ["no erasure before its grace ends", ({ run }) => run.graceMs = 14 * 86_400_000],
  ["customer.erased exactly once", ({ tables, messages }) => {
    remove(tables.outbox!, ({ event_id }) => event_id === "erased");
    remove(messages, ({ eventId }) => eventId === "erased");
  }],
  ["customer.erased exactly once", ({ messages }) => {
    const erased = messages.find(({ eventId }) => eventId === "erased")!;
    messages.push({ ...erased, eventId: "erased again", offset: 999 });
  }],
  ["one receipt each", ({ tables }) => tables.erasure_receipts = []],
  ["receipts verify", (evidence) => {
    const document = row(evidence, "erasure_receipts").document as Row;
    document.completedAt = timeOf(59);
  }],
  ["no erased value", (evidence) => row(evidence, "customers", 1).last_name = valueOf(100)],
  ["no erased value", ({ logs }) => logs[0]!.text += valueOf(45)],
  ["no erased value", ({ messages }) => messages[3]!.headers = { name: valueOf(45) }],
  ["no due work is left", (evidence) => row(evidence, "timers").due_at = timeOf(20)],
  ["no due work is left", (evidence) => row(evidence, "effects").state = "PENDING"],
  ["no due work is left", (evidence) => row(evidence, "effects").state = "POISONED"],
  ["each record once in a document", ({ downloads }) => downloads[0]!.records["order-service"] = [1, 1, 2]],
  ["readyz is true", ({ operations }) => {
    for (const { attempts: [attempt] } of operations) attempt!.answer = "UNAVAILABLE";
  }],
  ["readyz is true", ({ ready }) => {
    for (const sample of ready) sample.status = 503;
  }],
  ["orderly end", ({ faults }) => faults[0]!.exitCode = 1],
  ["recovery", ({ operations, reads }) => {
    for (const { attempts: [attempt] } of operations) {
      if (attempt!.at > START + 5_000 && attempt!.at < START + 30_000) attempt!.answer = "UNAVAILABLE";
    }
    for (const read of reads) if (read.startedAt > START + 5_000) read.answer = "UNAVAILABLE";
  }],
  ["enough was tried", (evidence) => evidence.reads = []],
  ["enough was tried", ({ faults }) => faults[0]!.lostAnswers = 0],
];

const checksOf = (findings: readonly Finding[]) => [...new Set(findings.map(({ check }) => check))];

Deno.test("a run in which every promise was held has no findings", async () => {
  const checked = await checkEvidence(heldRun());
  assert.deepEqual(checked.findings, []);
  assert.match(writeReport(checked), /\| the whole run +\| held .*HELD: every check has passed$/s);
});

for (const [index, [check, breakRun]] of BROKEN.entries()) {
  Deno.test(`the checker finds broken run ${index + 1}: ${check}`, async () => {
    const evidence = heldRun();
    breakRun(evidence);
    const checked = await checkEvidence(evidence);
    assert.ok(checksOf(checked.findings).includes(check), checksOf(checked.findings).join(", "));
    assert.match(writeReport(checked), /\nBROKEN: \d+ findings/);
  });
}

Deno.test("every check has a run that it finds", () => {
  assert.deepEqual(new Set(BROKEN.map(([check]) => check)), new Set(CHECKS));
});

Deno.test("a finding is printed with the attempts, the journal and the events of its operation", async () => {
  const evidence = heldRun();
  evidence.operations[3]!.version = 9;
  const text = writeReport(await checkEvidence(evidence));
  assert.match(text, /Operation 4, profile.update, made version 4; its answer has 9/);
  assert.match(text, /attempt at 20:48:03.000, 50 ms, replica a: ok/);
  assert.match(text, /journal of the customer: 4 profile.update by .* at 20:48:03.000/);
  assert.match(text, /event .*-4 of audit.event CUSTOMER_CHANGED, published at 20:48:05.000/);
});

Deno.test("a kept run is read again as it was, and one that did not end is refused", async () => {
  const folder = await Deno.makeTempDir({ prefix: "customer-service-history-" });
  try {
    const { run, end, operations, reads, faults, ready, confirmations, downloads, ...kept } = heldRun();
    const lines = [run, ...operations, ...reads, ...faults, ...ready, ...confirmations, ...downloads];
    await Deno.mkdir(`${folder}/tables`);
    await Deno.mkdir(`${folder}/logs`);
    const write = (path: string, rows: readonly unknown[]) =>
      Deno.writeTextFile(`${folder}/${path}`, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    for (const [table, rows] of Object.entries(kept.tables)) await write(`tables/${table}.jsonl`, rows);
    await write("kafka.jsonl", kept.messages);
    await Deno.writeTextFile(`${folder}/logs/a-0.log`, kept.logs[0]!.text);
    await write("history.jsonl", lines);
    await assert.rejects(readEvidence(folder), /its run did not end/);
    using history = openHistory(`${folder}/history.jsonl`);
    for (const line of [...lines, end]) history.record(line);
    assert.deepEqual(await readEvidence(folder), heldRun());
    assert.equal(verdictOf((await checkEvidence(await readEvidence(folder))).findings).slice(0, 4), "HELD");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
