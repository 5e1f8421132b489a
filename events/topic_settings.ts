/** Creates missing topics, and warns if the broker deletes entries of the erasure log. */
import { getLogger } from "@logtape/logtape";
import { type Admin, ConfigResourceTypes } from "kafkajs";
import { describeError } from "../lib/error_description.ts";
import { ERASURE_LOG, missingTopics } from "./topics.ts";

/** Creates missing topics. Existing ones are not changed; wrong settings of the erasure log are logged. */
export async function prepareTopics(
  admin: Admin,
  sizes: { partitions: number; replicationFactor: number },
): Promise<void> {
  const existing = await admin.listTopics();
  const topics = missingTopics(existing, sizes);
  if (topics.length > 0) await admin.createTopics({ topics });
  if (existing.includes(ERASURE_LOG)) await warnOfDeletion(admin);
}

async function warnOfDeletion(admin: Admin): Promise<void> {
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
