/** Reads the erasure log, the copy of the erasure memory in the topic customer.erased. */
import { fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { z } from "zod";
import type { ErasedSubject } from "../db/erased_subjects.ts";
import { type CustomerErased, CustomerErasedSchema } from "../proto/gen/io/shopstar/customer/v1/events_pb.ts";
import type { KafkaSettings } from "./kafka_client.ts";
import { type ReadOptions, readTopic, type TopicRecord } from "./topic_reader.ts";
import { ERASURE_LOG } from "./topics.ts";

/** An entry of the erasure log or of an erasure memory file. */
export interface Entry {
  /** Its position, as text for people. */
  place: string;
  /** Undefined if the entry cannot be parsed. */
  subject: ErasedSubject | undefined;
}

/** Schema of the subject in an entry. */
export const Subject = z.object({
  storeId: z.guid().toLowerCase(),
  customerId: z.guid().toLowerCase(),
  emailHash: z.string().regex(/^[0-9a-f]{64}$/i).transform((hash) => Uint8Array.fromHex(hash)),
  erasedAt: z.date(),
});

/** Reads the log partition by partition, oldest entries first. */
export async function* readErasureLog(
  settings: KafkaSettings,
  options?: ReadOptions,
): AsyncGenerator<Entry[]> {
  for await (const records of readTopic(settings, ERASURE_LOG, options)) yield records.map(toEntry);
}

function toEntry(record: TopicRecord): Entry {
  const place = `partition ${record.partition}, offset ${record.offset}`;
  const message = decode(record);
  const { data } = Subject.safeParse({
    ...message,
    erasedAt: message?.erasedAt && timestampDate(message.erasedAt),
  });
  return { place, subject: data };
}

function decode({ value, headers }: TopicRecord): CustomerErased | undefined {
  try {
    if (!value) return undefined;
    if (headers["content-type"] === "application/protobuf") return fromBinary(CustomerErasedSchema, value);
    if (headers["content-type"] !== "application/json") return undefined;
    // A later version may have added fields.
    return fromJsonString(CustomerErasedSchema, new TextDecoder().decode(value), {
      ignoreUnknownFields: true,
    });
  } catch {
    return undefined;
  }
}
