/** Validation of the records that CollectCustomerData returns. */
import { fromBinary, type JsonValue } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Delivery } from "../actors/gdpr/types.ts";
import {
  type CollectCustomerDataResponse,
  CollectCustomerDataResponseSchema,
} from "../proto/gen/io/shopstar/customer/v1/data_subject_service_pb.ts";

/** Limits of data_subject_service.proto: lengths in characters, the number of recipients, and the depth of the data. */
const MAX = {
  cursor: 200,
  category: 200,
  purpose: 1_000,
  retention: 1_000,
  recipients: 100,
  recipient: 200,
  depth: 32,
};
/**
 * Number of earlier cursors among which a repeated one is detected; later repetitions run into the limit of
 * records.
 */
const REMEMBERED_CURSORS = 1_000;
/** Range of a Timestamp in seconds: from 0001-01-01 to the end of 9999. Its nanoseconds count forward. */
const [FIRST_SECOND, LAST_SECOND] = [-62_135_596_800n, 253_402_300_799n];

/** Reason why a record is invalid, in fixed words. */
export class InvalidRecord extends Error {
  override name = "InvalidRecord";
}

/** The record is not about the customer and store of the request. */
export class ForeignRecord extends InvalidRecord {
  override name = "ForeignRecord";
}

/** Subject of a call: UUIDs in lower case. */
export interface RecordSubject {
  customerId: string;
  storeId: string;
  /** The cursor after which the call resumes. */
  resumeAfter: string | undefined;
}

/** Creates a reader for the records of one call, in their order. */
export function createRecordReader(
  { resumeAfter, ...subject }: RecordSubject,
): (bytes: Uint8Array) => Delivery {
  const cursors = new Set(resumeAfter === undefined ? [] : [resumeAfter]);
  return (bytes) => {
    const record = parse(bytes);
    requireSubject(record, subject);
    const delivery = readRecord(record);
    if (cursors.has(delivery.cursor)) throw new InvalidRecord("its cursor is an earlier record's");
    cursors.add(delivery.cursor);
    if (cursors.size > REMEMBERED_CURSORS) cursors.delete(cursors.values().next().value!);
    return delivery;
  };
}

/** Participants may write UUIDs in upper case. */
function requireSubject(
  { customerId, storeId }: CollectCustomerDataResponse,
  subject: Omit<RecordSubject, "resumeAfter">,
): void {
  if (customerId === "" || storeId === "") {
    throw new ForeignRecord("it does not name its customer and store");
  }
  if (customerId.toLowerCase() !== subject.customerId) throw new ForeignRecord("it names another customer");
  if (storeId.toLowerCase() !== subject.storeId) throw new ForeignRecord("it names another store");
}

function readRecord(record: CollectCustomerDataResponse): Delivery {
  const { cursor, category, purpose, retention, recipients, data, recordedAt } = record;
  if (cursor === "") throw new InvalidRecord("it has no cursor");
  for (const field of ["cursor", "category", "purpose", "retention"] as const) {
    if (record[field].length > MAX[field]) {
      throw new InvalidRecord(`its ${field} exceeds ${MAX[field]} characters`);
    }
  }
  // The cursor is stored as PostgreSQL text, which cannot contain a NUL.
  if (cursor.includes("\0")) throw new InvalidRecord("its cursor contains a NUL");
  if (category.trim() === "") throw new InvalidRecord("it has no category");
  if (recipients.length > MAX.recipients) {
    throw new InvalidRecord(`it has more than ${MAX.recipients} recipients`);
  }
  if (recipients.some(({ length }) => length > MAX.recipient)) {
    throw new InvalidRecord(`a recipient is over ${MAX.recipient} characters`);
  }
  if (!data) throw new InvalidRecord("it has no data");
  requireJson(data, MAX.depth);
  return {
    cursor,
    record: { category, purpose, retention, recipients, data, recordedAt: recordedAt && isoTime(recordedAt) },
  };
}

function parse(bytes: Uint8Array): CollectCustomerDataResponse {
  try {
    return fromBinary(CollectCustomerDataResponseSchema, bytes, { readUnknownFields: false });
  } catch {
    // The parser's own message may quote the record.
    throw new InvalidRecord("it is not a CollectCustomerDataResponse");
  }
}

/**
 * Protobuf can encode NaN and infinities, which JSON would turn into null.
 *
 * @param levels number of levels of objects and lists that the value may have
 */
function requireJson(value: JsonValue, levels: number): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new InvalidRecord("its data contains NaN or an infinity");
  }
  if (typeof value !== "object" || value === null) return;
  if (levels === 0) throw new InvalidRecord(`its data is nested more than ${MAX.depth} deep`);
  for (const member of Object.values(value)) requireJson(member, levels - 1);
}

function isoTime(time: Timestamp): string {
  const { seconds, nanos } = time;
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND || nanos < 0 || nanos >= 1e9) {
    throw new InvalidRecord("its time is out of range");
  }
  return timestampDate(time).toISOString();
}
