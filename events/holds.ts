/**
 * Holds: topics and keys that the relay does not publish until a backoff has passed, because they were refused. Events of a key wait in
 * their order, and a topic that refuses delays no other topic.
 */
import { exponential, jittered } from "../lib/backoff.ts";
import type { OutboxRow } from "../db/outbox.ts";
import type { PublishRefusal } from "./sink.ts";

const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5_000;
/** Time after which a held key that was not retried is forgotten: another replica may have published its events. */
const FORGET_MS = 60_000;

export interface Holds {
  /** Topics to publish together. */
  open(): string[];
  /** A refusing topic to retry alone, now. Each call returns another one, until its backoff has passed again. */
  nextRetry(): string | undefined;
  /** `<topic> <key>` of the events to skip. */
  keys(): string[];
  /**
   * Records the outcome of a batch.
   *
   * @returns the topics that accept events and of which no refused event waits any longer
   */
  record(published: readonly OutboxRow[], refusals: readonly PublishRefusal[]): string[];
  /** Records that no event of a topic waits. */
  reopen(topic: string): void;
}

interface Topic {
  failures: number;
  /** Undefined: the topic accepts events. */
  retryAt: number | undefined;
}

/** @param rowHoldMs delay before retrying a row that this version cannot encode; a newer replica may be able to */
export function createHolds(topics: readonly string[], rowHoldMs: number): Holds {
  const states = new Map<string, Topic>(topics.map((topic) => [topic, { failures: 0, retryAt: undefined }]));
  const heldUntil = new Map<string, number>();
  const placeOf = ({ topic, key }: OutboxRow) => `${topic} ${key}`;

  function refuse({ topic, rows, scope }: PublishRefusal, someWerePublished: boolean): void {
    const state = states.get(topic);
    if (scope === "row" || !state) return hold(rows, rowHoldMs);
    const backoffMs = jittered(exponential(++state.failures, FIRST_BACKOFF_MS, MAX_BACKOFF_MS));
    state.retryAt = someWerePublished ? undefined : Date.now() + backoffMs;
    // Longer than the topic, and the first row even longer, so that the next attempts have other rows: the broker may
    // refuse a partition or a message and not the topic.
    hold(rows, 2 * backoffMs);
    hold(rows.slice(0, 1), 4 * backoffMs);
  }

  function hold(rows: readonly OutboxRow[], ms: number): void {
    for (const row of rows) heldUntil.set(placeOf(row), Date.now() + ms);
  }

  function reopen(topic: string): void {
    const state = states.get(topic);
    if (state) Object.assign(state, { failures: 0, retryAt: undefined });
  }

  return {
    open: () => [...states].filter(([, { retryAt }]) => retryAt === undefined).map(([topic]) => topic),
    nextRetry() {
      const now = Date.now();
      const dueEntry = [...states].find(([, { retryAt }]) => retryAt !== undefined && retryAt <= now);
      if (!dueEntry) return undefined;
      const [topic, state] = dueEntry;
      state.retryAt = now + MAX_BACKOFF_MS; // until its outcome is recorded
      return topic;
    },
    keys() {
      const now = Date.now();
      for (const [place, until] of heldUntil) if (until + FORGET_MS < now) heldUntil.delete(place);
      return [...heldUntil].filter(([, until]) => until > now).map(([place]) => place);
    },
    record(published, refusals) {
      for (const row of published) heldUntil.delete(placeOf(row));
      const accepting = new Set(published.map(({ topic }) => topic));
      const refusing = new Set(refusals.filter(({ scope }) => scope === "topic").map(({ topic }) => topic));
      for (const topic of accepting) if (!refusing.has(topic)) reopen(topic);
      for (const refusal of refusals) refuse(refusal, accepting.has(refusal.topic));
      const places = [...heldUntil.keys()];
      return [...accepting].filter((topic) => !places.some((place) => place.startsWith(`${topic} `)));
    },
    reopen,
  };
}
