/** Sees that every topic is there, and that the broker keeps the erasure log for ever. */
import { getLogger } from "@logtape/logtape";
import { type Admin, ConfigResourceTypes } from "kafkajs";
import { describeError } from "../lib/error_description.ts";
import { ERASURE_LOG, missingTopics } from "./topics.ts";

/** Creates the topics that are missing. Those that somebody else has created stay as they are, and are told of. */
export async function prepareTopics(
  admin: Admin,
  sizes: { partitions: number; replicationFactor: number },
): Promise<void> {
  const existing = await admin.listTopics();
  const topics = missingTopics(existing, sizes);
  if (topics.length > 0) await admin.createTopics({ topics });
  if (existing.includes(ERASURE_LOG)) await warnOfForgetting(admin);
}

async function warnOfForgetting(admin: Admin): Promise<void> {
  const log = getLogger(["customer-service", "events"]);
  const resources = [{ type: ConfigResourceTypes.TOPIC, name: ERASURE_LOG }];
  try {
    const { resources: [found] } = await admin.describeConfigs({ includeSynonyms: false, resources });
    const policy = found?.configEntries.find(({ configName }) => configName === "cleanup.policy")
      ?.configValue;
    if (policy === undefined || policy === "compact") return;
    log.warn(
      "Kafka forgets erasures: the topic {topic} has cleanup.policy={policy}. Set it to compact, or keep the files " +
        "of deno task erasure memory: after a restore they tell who has to be erased again",
      { topic: ERASURE_LOG, policy },
    );
  } catch (error) {
    // Looking at a topic's settings may be forbidden where writing to it is not.
    log.debug("Cannot look at the settings of {topic}: {error}", {
      topic: ERASURE_LOG,
      error: describeError(error),
    });
  }
}
