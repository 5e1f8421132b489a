/** Events: each is in Kafka as the outbox has it, nothing else is, and those of an actor arrived in order. */
import type { Finding } from "./findings.ts";
import { type Facts, isAccess, type OutboxRow } from "./facts.ts";
import type { Message } from "./history.ts";

const promise = "order, outbox = Kafka";
/** Time in which an event may have been published and lost with its topic. */
const DELETED_MS = 15_000;

export function checkEvents(facts: Facts): Finding[] {
  const { outbox, evidence: { messages } } = facts;
  const inOutbox = new Map(outbox.map((row) => [row.event_id, row]));
  const first = firstDeliveries(messages);
  const deleted = deletedTopics(facts);
  return [
    ...outbox.flatMap((row) => checkDelivery(row, first.get(row.event_id), deleted)),
    ...messages.flatMap((message) => checkOrigin(message, inOutbox.get(message.eventId))),
    ...checkOrder(outbox, first, deleted),
    ...checkDelays(facts),
  ];
}

function firstDeliveries(messages: readonly Message[]): Map<string, Message> {
  const first = new Map<string, Message>();
  for (const message of messages) {
    const known = first.get(message.eventId);
    if (!known || known.partition === message.partition && message.offset < known.offset) {
      first.set(message.eventId, message);
    }
  }
  return first;
}

/** When topics were deleted for the last time: their earlier messages are gone. */
function deletedTopics({ evidence: { faults } }: Facts): Map<string, number> {
  const deletions = faults.filter(({ name }) => name === "topic deleted");
  return new Map(deletions.map(({ target, endedAt }) => [target, endedAt + DELETED_MS]));
}

function checkDelivery(
  { event_id, topic, published_at }: OutboxRow,
  message: Message | undefined,
  deleted: ReadonlyMap<string, number>,
): Finding[] {
  if (published_at === null) {
    return [{ promise, check: "every event is published", message: `Event ${event_id} of ${topic} waits` }];
  }
  if (message || Date.parse(published_at) < (deleted.get(topic) ?? 0)) return [];
  const at = Date.parse(published_at);
  const text = `Event ${event_id} of ${topic} is marked as published and is not in Kafka`;
  return [{ promise, check: "no event is lost", message: text, at }];
}

function checkOrigin(message: Message, row: OutboxRow | undefined): Finding[] {
  const place = `${message.topic}, partition ${message.partition}, offset ${message.offset}`;
  if (!row) {
    return [{ promise, check: "no event is invented", message: `${place}: no event has this ID` }];
  }
  const key = row.topic === "customer.erased" ? `${row.store_id}/${row.key}` : row.key;
  const isSame = row.topic === message.topic && key === message.key &&
    text(row.payload) === text(message.payload);
  if (isSame) return [];
  return [{ promise, check: "no event is changed", message: `${place}: differs from the outbox` }];
}

/** Canonical text of a value, whatever the order of its fields. */
function text(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(text).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1);
  return `{${fields.map(([name, field]) => `${name}:${text(field)}`).join()}}`;
}

/**
 * First deliveries of the events of one actor in one topic are in the order of the outbox. Accesses hold no lock on the
 * actor, so they have no order.
 */
function checkOrder(
  outbox: readonly OutboxRow[],
  first: ReadonlyMap<string, Message>,
  deleted: ReadonlyMap<string, number>,
): Finding[] {
  const actors = Map.groupBy(
    outbox.filter((row) => !deleted.has(row.topic) && !isAccess(row)),
    ({ topic, key, payload }) => `${topic} ${key} ${payload.target?.id ?? payload.requestId ?? ""}`,
  );
  return [...actors].flatMap(([actor, rows]) => {
    const offsets = rows.flatMap(({ event_id }) => first.get(event_id)?.offset ?? []);
    if (offsets.every((offset, index) => index === 0 || offset > offsets[index - 1]!)) return [];
    const message = `Events of ${actor} arrived at the offsets ${offsets.join(", ")}`;
    return [{ promise, check: "order within an actor", message }];
  });
}

/** Time in which an event is published while another topic is refused. */
const PUBLISH_MS = 5_000;

/** While Kafka refuses one topic, the events of the others are published. */
function checkDelays({ outbox, evidence: { faults } }: Facts): Finding[] {
  return faults.filter(({ name }) => name === "one topic refuses").flatMap((fault): Finding[] => {
    const { target, startedAt, endedAt } = fault;
    const interferes = faults.some((other) =>
      other !== fault && other.startedAt < endedAt && other.endedAt > startedAt
    );
    if (interferes) return [];
    const delayed = outbox.filter(({ topic, created_at, published_at }) =>
      topic !== target && Date.parse(created_at) > startedAt &&
      Date.parse(created_at) < endedAt - PUBLISH_MS &&
      Date.parse(published_at ?? "9999-12-31") > endedAt
    );
    if (delayed.length === 0) return [];
    const topics = [...new Set(delayed.map(({ topic }) => topic))].join(", ");
    const message = `While ${target} was refused, ${delayed.length} events of ${topics} waited too`;
    return [{ promise, check: "no topic delays another", message, at: startedAt }];
  });
}
