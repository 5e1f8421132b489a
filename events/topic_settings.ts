/** Creates missing topics, and warns if the broker deletes entries of the erasure log. */
import { getLogger } from "@logtape/logtape";
import type { Admin } from "kafkajs";
import { describeError } from "../lib/error_description.ts";
import { ERASURE_LOG, missingTopics, type TopicSizes } from "./topics.ts";

export type PrepareTopic = (admin: Admin, topic: string) => Promise<void>;

/**
 * Creates every missing topic, and fails only if the topic of the call cannot be created. Existing topics are not
 * changed; wrong settings of the erasure log are logged once.
 */
export function createTopicPreparation(sizes: TopicSizes): PrepareTopic {
  let isLogChecked = false;
  return async (admin, topic) => {
    const existing = await admin.listTopics();
    const topics = missingTopics(existing, sizes);
    try {
      if (topics.length > 0) await admin.createTopics({ topics });
    } catch (error) {
      if (!(await admin.listTopics()).includes(topic)) throw reasonFor(topic, error);
    }
    if (isLogChecked || !existing.includes(ERASURE_LOG)) return;
    isLogChecked = true;
    await warnOfDeletion(admin);
  };
}

/** The reason why the broker did not create the topic. kafkajs collects those of all topics under one message. */
function reasonFor(topic: string, error: unknown): unknown {
  const errors = error instanceof Error && "errors" in error ? error.errors as { topic?: string }[] : [];
  return errors.find((error) => error.topic === topic) ?? error;
}

async function warnOfDeletion(admin: Admin): Promise<void> {
  const { ConfigResourceTypes } = await import("kafkajs");
  const log = getLogger(["customer-service", "events"]);
  const resources = [{ type: ConfigResourceTypes.TOPIC, name: ERASURE_LOG }];
  try {
    const { resources: [found] } = await admin.describeConfigs({ includeSynonyms: false, resources });
    const policy = found?.configEntries.find(({ configName }) => configName === "cleanup.policy")
      ?.configValue;
    if (policy === undefined || policy === "compact") return;
    log.warn(
      "Kafka deletes erasures: the topic {topic} has cleanup.policy={policy}. Set it to compact, or archive the output " +
        "of deno task erasure memory: after a restore it lists the persons to erase again",
      { topic: ERASURE_LOG, policy },
    );
  } catch (error) {
    // Reading a topic's settings may be forbidden where writing to it is allowed.
    log.debug("Cannot read the settings of {topic}: {error}", {
      topic: ERASURE_LOG,
      error: describeError(error),
    });
  }
}
