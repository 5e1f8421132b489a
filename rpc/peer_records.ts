/** Validation of the records that CollectCustomerData returns. */
import { fromBinary, type JsonValue } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Delivery } from "../actors/gdpr/types.ts";
import {
  type CollectCustomerDataResponse,
  CollectCustomerDataResponseSchema,
} from "../proto/gen/io/shopstar/customer/v1/data_subject_service_pb.ts";

/** Length limit of a cursor in data_subject_service.proto. */
const MAX_CURSOR = 200;
/**
 * Number of earlier cursors among which a repeated one is detected; later repetitions run into the limit of
 * records.
 */
const REMEMBERED_CURSORS = 1_000;
/** Range of a Timestamp in seconds: from 0001-01-01 to the end of 9999. */
const [FIRST_SECOND, LAST_SECOND] = [-62_135_596_800n, 253_402_300_799n];

/** Reason why a record is invalid, in fixed words. */
export class InvalidRecord extends Error {
  override name = "InvalidRecord";
}

/**
 * Creates a reader for the records of one call, in their order.
 *
 * @param resumeAfter the cursor after which the call resumes
 */
export function createRecordReader(resumeAfter: string | undefined): (bytes: Uint8Array) => Delivery {
  const cursors = new Set(resumeAfter === undefined ? [] : [resumeAfter]);
  return (bytes) => {
    const delivery = readRecord(bytes);
    if (cursors.has(delivery.cursor)) throw new InvalidRecord("its cursor is an earlier record's");
    cursors.add(delivery.cursor);
    if (cursors.size > REMEMBERED_CURSORS) cursors.delete(cursors.values().next().value!);
    return delivery;
  };
}

function readRecord(bytes: Uint8Array): Delivery {
  const { cursor, category, purpose, retention, recipients, data, recordedAt } = parse(bytes);
  if (cursor === "") throw new InvalidRecord("it has no cursor");
  if (cursor.length > MAX_CURSOR) throw new InvalidRecord(`its cursor exceeds ${MAX_CURSOR} characters`);
  // The cursor is stored as PostgreSQL text, which cannot contain a NUL.
  if (cursor.includes("\0")) throw new InvalidRecord("its cursor contains a NUL");
  if (category.trim() === "") throw new InvalidRecord("it has no category");
  if (!data) throw new InvalidRecord("it has no data");
  if (!isJson(data)) throw new InvalidRecord("its data contains NaN or an infinity");
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

/** Protobuf can encode NaN and infinities, which JSON would turn into null. */
function isJson(value: JsonValue): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "object" && value !== null) return Object.values(value).every(isJson);
  return true;
}

function isoTime(time: Timestamp): string {
  if (time.seconds < FIRST_SECOND || time.seconds > LAST_SECOND) {
    throw new InvalidRecord("its time is out of range");
  }
  return timestampDate(time).toISOString();
}
