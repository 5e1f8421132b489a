/** Reads the erasure log, the copy of the erasure memory in the topic customer.erased. */
import { fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { z } from "zod";
import type { ErasedSubject } from "../db/erased_subjects.ts";
import { type CustomerErased, CustomerErasedSchema } from "../proto/gen/io/shopstar/customer/v1/events_pb.ts";
import type { KafkaSettings } from "./kafka_client.ts";
import { readTopic, type TopicReadOptions, type TopicRecord } from "./topic_reader.ts";
import { ERASURE_LOG } from "./topics.ts";

/** An entry of the erasure log or of an erasure memory file. */
export interface Entry {
  /** Position of the entry, as text for people. */
  place: string;
  /** Undefined if the entry cannot be parsed. */
  subject: ErasedSubject | undefined;
  /** Undefined if the entry has none. */
  proof: EntryProof | undefined;
}

/** Proof that this service wrote an entry: an HMAC in hexadecimal, and the ID of its key. */
export interface EntryProof {
  keyId: string;
  proof: string;
}

/** Verifies the proof of an entry. */
export type Verify = (subject: ErasedSubject, proof: EntryProof) => Promise<boolean>;

/** Entry of the topic. */
export interface LogEntry extends Entry {
  partition: number;
  offset: bigint;
}

/** Whether the entry has a proof, and it is this service's. */
export async function isVerified({ subject, proof }: Entry, verify: Verify): Promise<boolean> {
  return subject !== undefined && proof !== undefined && await verify(subject, proof);
}

/** Schema of the subject in an entry. */
export const Subject = z.object({
  storeId: z.guid().toLowerCase(),
  customerId: z.guid().toLowerCase(),
  emailHashes: z.array(z.string().regex(/^[0-9a-f]{64}$/i).transform((hash) => Uint8Array.fromHex(hash))).min(
    1,
  )
    .max(10_000),
  erasedAt: z.date(),
});

/** Schema of the proof in an entry. */
export const Proof = z.object({
  keyId: z.string().regex(/^[0-9a-f]{16}$/),
  proof: z.string().regex(/^[0-9a-f]{64}$/),
});

/** Reads the log partition by partition, oldest entries first. */
export async function* readErasureLog(
  settings: KafkaSettings,
  options?: TopicReadOptions,
): AsyncGenerator<LogEntry[]> {
  for await (const records of readTopic(settings, ERASURE_LOG, options)) yield records.map(toEntry);
}

function toEntry(record: TopicRecord): LogEntry {
  const { partition, offset } = record;
  const place = `partition ${partition}, offset ${offset}`;
  const message = decode(record);
  const { data } = Subject.safeParse({
    ...message,
    erasedAt: message?.erasedAt && timestampDate(message.erasedAt),
  });
  return { place, subject: data, proof: Proof.safeParse(message).data, partition, offset };
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
