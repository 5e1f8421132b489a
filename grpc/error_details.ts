/** `grpc-status-details-bin`: a `google.rpc.Status` with ErrorInfo and BadRequest, for clients in any language. */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type ErrorDetails, type ErrorInfo, type FieldViolation, type GrpcError, STATUS } from "./status.ts";

const ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo";
const BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest";

/**
 * Returns the name and the value of the trailer; an empty list for an error without details.
 *
 * @param domain of the ErrorInfo of an error that has none
 */
export function encodeDetails(error: GrpcError, domain?: string): string[] {
  const { status, message, fieldViolations } = error;
  const info = error.info ?? (domain === undefined ? undefined : { reason: status, domain });
  if (!info && fieldViolations.length === 0) return [];
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(STATUS[status]);
  writer.tag(2, WireType.LengthDelimited).string(message);
  if (info) writeAny(writer, ERROR_INFO, infoBytes(info));
  if (fieldViolations.length > 0) writeAny(writer, BAD_REQUEST, violationBytes(fieldViolations));
  // gRPC sends binary metadata as base64 without padding.
  return ["grpc-status-details-bin", writer.finish().toBase64({ omitPadding: true })];
}

function infoBytes({ reason, domain, metadata = {} }: ErrorInfo): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string(reason);
  writer.tag(2, WireType.LengthDelimited).string(domain);
  for (const entry of Object.entries(metadata)) writeStrings(writer, 3, entry);
  return writer.finish();
}

function violationBytes(violations: readonly FieldViolation[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const { field, description } of violations) writeStrings(writer, 1, [field, description]);
  return writer.finish();
}

/** Writes a message of two strings, in its fields 1 and 2. */
function writeStrings(writer: BinaryWriter, field: number, [first, second]: [string, string]): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(first);
  writer.tag(2, WireType.LengthDelimited).string(second);
  writer.join();
}

function writeAny(writer: BinaryWriter, type: string, value: Uint8Array): void {
  writer.tag(3, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(type);
  writer.tag(2, WireType.LengthDelimited).bytes(value);
  writer.join();
}

/** @returns the details that are known here; empty when there are none or the bytes cannot be read */
export function decodeDetails(status: Uint8Array): ErrorDetails {
  try {
    const details: ErrorDetails = {};
    for (const [field, detail] of fields(status)) {
      if (field !== 3) continue;
      const any = new Map(fields(detail));
      const value = any.get(2) ?? new Uint8Array();
      const type = decode(any.get(1));
      if (type === ERROR_INFO) details.info ??= readInfo(value);
      if (type === BAD_REQUEST) details.fieldViolations ??= readViolations(value);
    }
    return details;
  } catch {
    return {}; // not a google.rpc.Status
  }
}

function readInfo(bytes: Uint8Array): ErrorInfo {
  const metadata: Record<string, string> = {};
  let [reason, domain] = ["", ""];
  for (const [field, value] of fields(bytes)) {
    if (field === 1) reason = decode(value);
    if (field === 2) domain = decode(value);
    if (field === 3) {
      const [key, text] = readStrings(value);
      metadata[key] = text;
    }
  }
  return { reason, domain, metadata };
}

function readViolations(bytes: Uint8Array): FieldViolation[] {
  return [...fields(bytes)].filter(([field]) => field === 1).map(([, violation]) => {
    const [field, description] = readStrings(violation);
    return { field, description };
  });
}

function readStrings(bytes: Uint8Array): [first: string, second: string] {
  const strings = new Map(fields(bytes));
  return [decode(strings.get(1)), decode(strings.get(2))];
}

/** The length-delimited fields of a message. */
function* fields(bytes: Uint8Array): Generator<[number, Uint8Array]> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (wire === WireType.LengthDelimited) yield [field, reader.bytes()];
    else reader.skip(wire, field);
  }
}

function decode(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}
