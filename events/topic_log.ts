/** Rate-limited log of the topics that refuse events: one line for each reason, and a reminder every 30 seconds. */
import type { Logger } from "@logtape/logtape";
import type { PublishRefusal } from "./sink.ts";

const REMIND_MS = 30_000;

export interface TopicLog {
  /** Call it with the refusals of every batch. */
  report(refusals: readonly PublishRefusal[]): void;
  /** Call it with the topics that accept all events again. */
  end(topics: readonly string[]): void;
}

export function createTopicLog(log: Logger): TopicLog {
  const loggedAt = new Map<string, number>();

  function isDue(topic: string): boolean {
    const last = loggedAt.get(topic);
    return last === undefined || Date.now() - last >= REMIND_MS;
  }

  return {
    report(refusals) {
      for (const { reason, rows } of refusals.filter(({ scope }) => scope === "row")) {
        const eventId = rows[0]?.eventId;
        const text =
          "Event {eventId} stays in the outbox, and so do later events of its topic and key: {reason}";
        log.error(text, { eventId, reason });
      }
      const due = refusals.filter(({ scope, topic }) => scope === "topic" && isDue(topic));
      for (const [reason, some] of Map.groupBy(due, ({ reason }) => reason)) {
        const topics = some.map(({ topic }) => topic);
        for (const topic of topics) loggedAt.set(topic, Date.now());
        log.error("Events of {topics} wait in the outbox: {reason}", { topics: topics.join(", "), reason });
      }
    },
    end(topics) {
      const recovered = topics.filter((topic) => loggedAt.delete(topic));
      if (recovered.length === 0) return;
      log.info("Events of {topics} are published again", { topics: recovered.join(", ") });
    },
  };
}
