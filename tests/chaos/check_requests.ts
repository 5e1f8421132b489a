/** Requests under the GDPR: none is stuck or falsely completed, erasures are announced and proved once. */
import { checkReceipts } from "../../actors/gdpr/receipts/check.ts";
import type { Check, Finding } from "./findings.ts";
import { type Facts, type RequestRow, rowsOf } from "./facts.ts";
import { operationsIn } from "./operations.ts";

const promise = "GDPR course";

export async function checkRequests(facts: Facts): Promise<Finding[]> {
  return [
    ...facts.requests.flatMap((request) => checkRequest(facts, request)),
    ...checkErasedValues(facts),
    ...checkDueWork(facts),
    ...checkDownloads(facts),
    ...await checkReceiptChains(facts),
  ];
}

function checkRequest(facts: Facts, request: RequestRow): Finding[] {
  const { request_id: requestId, type, status, outcome } = request;
  const findings: Finding[] = [];
  const find = (check: Check, message: string) =>
    findings.push({ promise, check, message: `Request ${requestId}, ${type}, ${message}`, requestId });
  const isInGrace = type === "ERASURE" && graceEnd(facts, request) > Date.parse(facts.evidence.end.dumpedAt);
  if (isInGrace) {
    if (status !== "PENDING") find("no erasure before its grace ends", `is ${status} inside its grace`);
    return findings;
  }
  if (status !== "COMPLETED") {
    find("no request is stuck", `is ${status}: ${JSON.stringify(request.snapshot.value)}`);
    return findings;
  }
  if (outcome !== "FULFILLED") {
    // An erasure destroys the documents that the customer has not fetched.
    const isOfErased = facts.stories.get(request.customer_id)?.row?.anonymized_at != null;
    if (!(outcome === "NOT_FETCHED" && isOfErased)) find("no request is stuck", `ended as ${outcome}`);
  } else {
    checkSources(facts, request, find);
    if (type === "ERASURE") checkErasure(facts, request, find);
  }
  return findings;
}

function graceEnd({ evidence: { run } }: Facts, { created_at }: RequestRow): number {
  return Date.parse(created_at) + (run.graceMs ?? 0);
}

type Find = (check: Check, message: string) => void;

/** A request is fulfilled only after every participant has answered. */
function checkSources({ evidence }: Facts, { request_id, type, customer_id }: RequestRow, find: Find): void {
  type Participant = { request_id: string; service: string; state: string };
  const rows = rowsOf<Participant>(evidence, "gdpr_participants").filter((row) =>
    row.request_id === request_id
  );
  for (const service of evidence.run.participants) {
    const state = rows.find((row) => row.service === service)?.state;
    if (state !== (type === "ERASURE" ? "CONFIRMED" : "RECEIVED")) {
      find("no request is falsely done", `is fulfilled, and ${service} is ${state}`);
    }
    if (type !== "ERASURE") continue;
    const heard = evidence.confirmations.some((confirmation) =>
      confirmation.service === service && confirmation.requestId === request_id
    );
    if (!heard) find("no request is falsely done", `is fulfilled, and ${service} has not heard of it`);
  }
  const stored = evidence.tables.customers?.find((row) => row.customer_id === customer_id);
  if (type === "ERASURE" && !stored?.anonymized_at) {
    find("no request is falsely done", "is fulfilled, and its customer is not erased");
  }
}

/** `customer.erased` exactly once, and one receipt. */
function checkErasure({ outbox, evidence }: Facts, { request_id }: RequestRow, find: Find): void {
  const isErased = (topic: string, payload: { requestId?: unknown }) =>
    topic === "customer.erased" && payload.requestId === request_id;
  const events = outbox.filter(({ topic, payload }) => isErased(topic, payload));
  const delivered = new Set(
    evidence.messages.filter(({ topic, payload }) => isErased(topic, payload)).map(({ eventId }) => eventId),
  );
  if (events.length !== 1 || delivered.size !== 1) {
    find(
      "customer.erased exactly once",
      `has ${events.length} events customer.erased, and Kafka has ${delivered.size}`,
    );
  }
  const receipts = evidence.tables.erasure_receipts?.filter((row) => row.request_id === request_id) ?? [];
  if (receipts.length !== 1) find("one receipt each", `has ${receipts.length} receipts`);
}

/** No value of an erased person is in a table, an output or Kafka; no value of anyone is in the latter two. */
function checkErasedValues(facts: Facts): Finding[] {
  const { evidence: { run, tables, logs, messages, operations } } = facts;
  const erased = new Set(
    facts.customers.filter(({ anonymized_at }) => anonymized_at !== null).map(({ customer_id }) =>
      customer_id
    ),
  );
  const customerOf = new Map(operations.map((operation) => [operation.id, facts.customerOf(operation)]));
  const findings: Finding[] = [];
  const search = (place: string, text: string, isForbidden: (id: number) => boolean) => {
    for (const id of new Set(operationsIn(text, run.seed))) {
      if (!isForbidden(id)) continue;
      const message = `A value of operation ${id} is in ${place}`;
      findings.push({ promise, check: "no erased value", message, operationId: id });
    }
  };
  for (const [table, rows] of Object.entries(tables)) {
    for (const row of rows) {
      search(`table ${table}`, JSON.stringify(row), (id) => erased.has(customerOf.get(id) ?? ""));
    }
  }
  for (const { name, text } of logs) search(`the output ${name}`, text, () => true);
  for (const message of messages) search(`topic ${message.topic}`, JSON.stringify(message), () => true);
  return findings;
}

/** Time for a replica to claim what is due. */
const CLAIM_LIMIT_MS = 20_000;

/** No timer or effect is due and not claimed, and no effect has been given up. */
function checkDueWork({ evidence }: Facts): Finding[] {
  type Timer = { name: string; actor_id: string; due_at: string };
  type Effect = { type: string; effect_id: string; state: string; due_at: string };
  const limit = Date.parse(evidence.end.dumpedAt) - CLAIM_LIMIT_MS;
  const isLate = ({ due_at }: { due_at: string }) => Date.parse(due_at) < limit;
  const timers = rowsOf<Timer>(evidence, "timers").filter(isLate)
    .map(({ name, actor_id, due_at }) => `Timer ${name} of ${actor_id} is due since ${due_at}`);
  const effects = rowsOf<Effect>(evidence, "effects")
    .filter((effect) => effect.state === "POISONED" || effect.state === "PENDING" && isLate(effect))
    .map(({ type, effect_id, state, due_at }) => `Effect ${type} ${effect_id} is ${state}, due at ${due_at}`);
  return [...timers, ...effects].map((message) => ({ promise, check: "no due work is left", message }));
}

/** Every document has each record of each participant once. */
function checkDownloads({ evidence: { downloads, run } }: Facts): Finding[] {
  const expected = Array.from({ length: run.records }, (_, index) => index + 1).join();
  return downloads.flatMap(({ requestId, records }) =>
    run.participants.flatMap((service): Finding[] => {
      const found = (records[service] ?? []).toSorted((a, b) => a - b).join();
      if (found === expected) return [];
      const message = `The document of request ${requestId} has the records ${found} of ${service}`;
      return [{ promise, check: "each record once in a document", message, requestId }];
    })
  );
}

interface ReceiptRow {
  document: object;
  sequence: number;
  previous_hash: string | null;
  key_id: string;
  public_key: string;
  hash: string;
  signature: string;
  request_id: string;
}

/** Every receipt and every store's chain verifies, as `deno task receipt verify` does it. */
async function checkReceiptChains({ evidence }: Facts): Promise<Finding[]> {
  const bytes = (text: string) => Uint8Array.fromHex(text.replace(/^\\x/, ""));
  const files = rowsOf<ReceiptRow>(evidence, "erasure_receipts").map((row) => ({
    name: row.request_id,
    text: JSON.stringify({
      document: row.document,
      sequence: row.sequence,
      previousHash: row.previous_hash && bytes(row.previous_hash).toHex(),
      keyId: row.key_id,
      publicKey: bytes(row.public_key).toBase64(),
      hash: bytes(row.hash).toHex(),
      signature: bytes(row.signature).toBase64(),
    }),
  }));
  const results = await checkReceipts(files, []);
  return results.flatMap(({ title, findings }) =>
    findings.filter(({ verdict }) => verdict === "failed").map(({ message }) => ({
      promise,
      check: "receipts verify" as const,
      message: `${title}: ${message}`,
    }))
  );
}
