/** `grpc-status-details-bin`: a `google.rpc.Status` with one `google.rpc.ErrorInfo`, for clients in any language. */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type ErrorInfo, STATUS, type StatusName } from "./status.ts";

const TYPE = "type.googleapis.com/google.rpc.ErrorInfo";

/** @returns base64 without padding, as gRPC wants binary metadata */
export function encodeDetails(status: StatusName, message: string, info: ErrorInfo): string {
  const detail = new BinaryWriter();
  detail.tag(1, WireType.LengthDelimited).string(info.reason);
  detail.tag(2, WireType.LengthDelimited).string(info.domain);
  for (const [key, value] of Object.entries(info.metadata ?? {})) {
    detail.tag(3, WireType.LengthDelimited).fork();
    detail.tag(1, WireType.LengthDelimited).string(key);
    detail.tag(2, WireType.LengthDelimited).string(value);
    detail.join();
  }
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(STATUS[status]);
  writer.tag(2, WireType.LengthDelimited).string(message);
  writer.tag(3, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(TYPE);
  writer.tag(2, WireType.LengthDelimited).bytes(detail.finish());
  writer.join();
  return writer.finish().toBase64({ omitPadding: true });
}

/** @returns the first ErrorInfo; undefined when there is none or the bytes cannot be read */
export function decodeDetails(status: Uint8Array): ErrorInfo | undefined {
  try {
    for (const [field, detail] of fields(status)) {
      if (field !== 3) continue;
      const any = new Map(fields(detail));
      if (decode(any.get(1)) === TYPE) return readInfo(any.get(2) ?? new Uint8Array());
    }
  } catch {
    // not a google.rpc.Status
  }
  return undefined;
}

function readInfo(bytes: Uint8Array): ErrorInfo {
  const metadata: Record<string, string> = {};
  let [reason, domain] = ["", ""];
  for (const [field, value] of fields(bytes)) {
    if (field === 1) reason = decode(value);
    if (field === 2) domain = decode(value);
    if (field === 3) {
      const entry = new Map(fields(value));
      metadata[decode(entry.get(1))] = decode(entry.get(2));
    }
  }
  return { reason, domain, metadata };
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
