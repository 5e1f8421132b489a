/**
 * Encoder of Kafka's produce requests: https://kafka.apache.org/protocol#The_Messages_Produce and
 * https://kafka.apache.org/documentation/#recordbatch. kafkajs writes every header and every record into a buffer of its
 * own, which takes most of the time of sending. The bytes are the same.
 */
import { Buffer } from "node:buffer";
import protocol from "kafkajs/src/protocol/requests/index.js";

/** Request as kafkajs describes it, in the part that this service uses. */
export interface ProduceRequest {
  acks: number;
  timeout: number;
  topicData: readonly { topic: string; partitions: readonly PartitionData[] }[];
  transactionalId?: unknown;
  compression?: unknown;
  /** Prints as an integer of 64 bits. */
  producerId: { toString(): string };
  producerEpoch: number;
}

interface PartitionData {
  partition: number;
  firstSequence: number;
  messages: readonly RecordData[];
}

interface RecordData {
  key: string;
  value: Uint8Array;
  headers: Readonly<Record<string, string>>;
}

type Produce = (request: ProduceRequest) => { request: { encode(): Promise<unknown> } };

const { Produce: definition } = (protocol as unknown as {
  requests: { Produce: { protocol(of: { version: number }): Produce } };
}).requests;
let isReplaced = false;

/** First version with record batches. */
const RECORD_BATCHES = 3;

/** Makes kafkajs encode the requests of this service's producers here. Further calls do nothing. */
export function replaceProduceEncoder(): void {
  if (isReplaced) return;
  isReplaced = true;
  const { protocol } = definition;
  definition.protocol = ({ version }) => (produce) => {
    const described = protocol({ version })(produce);
    if (version >= RECORD_BATCHES && isPlain(produce)) {
      described.request.encode = () => {
        const bytes = encodeProduceRequest(produce, Date.now());
        return Promise.resolve({ buf: bytes, buffer: bytes }); // the parts of kafkajs' encoder that it reads
      };
    }
    return described;
  };
}

/** Whether the request has only what this service sends. The producers of tests may send more. */
function isPlain({ topicData, transactionalId, compression }: ProduceRequest): boolean {
  if (transactionalId || compression) return false;
  return topicData.every(({ partitions }) =>
    partitions.every(({ messages }) => messages.every(isPlainRecord))
  );
}

function isPlainRecord(record: RecordData): boolean {
  const { key, value, headers } = record;
  if (typeof key !== "string" || !(value instanceof Uint8Array) || "timestamp" in record) return false;
  for (const name in headers) if (typeof headers[name] !== "string") return false;
  return true;
}

/** @param now time of the records, milliseconds since 1970 */
export function encodeProduceRequest(
  { acks, timeout, topicData, producerId, producerEpoch }: ProduceRequest,
  now: number,
): Buffer {
  const writer = new Writer();
  writer.int16(-1); // no transactional ID
  writer.int16(acks);
  writer.int32(timeout);
  writer.int32(topicData.length);
  for (const { topic, partitions } of topicData) {
    writer.int16(Buffer.byteLength(topic));
    writer.text(topic);
    writer.int32(partitions.length);
    for (const data of partitions) {
      writer.int32(data.partition);
      const at = writer.length;
      writer.int32(0);
      writeBatch(writer, data, { producerId: BigInt(String(producerId)), producerEpoch, now });
      writer.setInt32(at, writer.length - at - 4);
    }
  }
  return writer.take();
}

interface BatchSettings {
  producerId: bigint;
  producerEpoch: number;
  now: number;
}

function writeBatch(
  writer: Writer,
  { firstSequence, messages }: PartitionData,
  { producerId, producerEpoch, now }: BatchSettings,
): void {
  const time = BigInt(now);
  writer.int64(0n); // first offset
  const lengthAt = writer.length;
  writer.int32(0);
  writer.int32(0); // partition leader epoch
  writer.byte(2); // magic
  const crcAt = writer.length;
  writer.int32(0);
  writer.int16(0); // attributes: no compression, time of creation
  writer.int32(messages.length - 1); // last offset delta
  writer.int64(time); // first
  writer.int64(time); // last
  writer.int64(producerId);
  writer.int16(producerEpoch);
  writer.int32(firstSequence);
  writer.int32(messages.length);
  messages.forEach((message, at) => writeRecord(writer, message, at));
  writer.setInt32(lengthAt, writer.length - lengthAt - 4);
  writer.setInt32(crcAt, crc32c(writer.bytes, crcAt + 4, writer.length));
}

function writeRecord(writer: Writer, { key, value, headers }: RecordData, offsetDelta: number): void {
  const start = writer.length;
  writer.byte(0); // attributes
  writer.varint(0); // time delta
  writer.varint(offsetDelta);
  writer.sizedText(key);
  writer.varint(value.length);
  writer.put(value);
  const names = headers ? Object.keys(headers) : [];
  writer.varint(names.length);
  for (const name of names) {
    writer.sizedText(name);
    writer.sizedText(headers[name]!);
  }
  writer.insertLength(start);
}

/** Of a varint with 32 bits. */
const LONGEST_VARINT = 5;
const FIRST_ROOM_BYTES = 65_536;
/** A character of a JavaScript string has at most three bytes in UTF-8. */
const CHARACTER_BYTES = 3;

class Writer {
  bytes = Buffer.allocUnsafe(FIRST_ROOM_BYTES);
  length = 0;

  take(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.bytes[this.length++] = value;
  }

  int16(value: number): void {
    this.#reserve(2);
    this.length = this.bytes.writeInt16BE(value, this.length);
  }

  int32(value: number): void {
    this.#reserve(4);
    this.length = this.bytes.writeInt32BE(value, this.length);
  }

  int64(value: bigint): void {
    this.#reserve(8);
    this.length = this.bytes.writeBigInt64BE(value, this.length);
  }

  setInt32(at: number, value: number): void {
    this.bytes.writeInt32BE(value | 0, at);
  }

  /** A signed integer in zigzag encoding, as in protobuf's sint32. */
  varint(value: number): void {
    this.#reserve(LONGEST_VARINT);
    let left = (value << 1 ^ value >> 31) >>> 0;
    for (; left >= 0x80; left >>>= 7) this.bytes[this.length++] = left & 0x7f | 0x80;
    this.bytes[this.length++] = left;
  }

  put(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  text(text: string): void {
    this.#reserve(text.length * CHARACTER_BYTES);
    const { bytes } = this;
    const start = this.length;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) {
        this.length = start + bytes.write(text, start, "utf8");
        return;
      }
      bytes[start + index] = code;
    }
    this.length = start + text.length;
  }

  /** A text after its length in bytes. */
  sizedText(text: string): void {
    const start = this.length;
    this.text(text);
    this.insertLength(start);
  }

  /** Puts the number of bytes from `start` on before them. */
  insertLength(start: number): void {
    const end = this.length;
    const length = end - start;
    this.#reserve(LONGEST_VARINT);
    const size = length < 64 ? 1 : length < 8_192 ? 2 : length < 1_048_576 ? 3 : length < 134_217_728 ? 4 : 5;
    this.bytes.copyWithin(start + size, start, end);
    this.length = start;
    this.varint(length);
    this.length = end + size;
  }

  #reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}

/** CRC-32C, with the polynomial of Castagnoli. */
function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  for (let at = start; at < end; at++) crc = CRC_TABLE[(crc ^ bytes[at]!) & 0xff]! ^ crc >>> 8;
  return ~crc;
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0x82f63b78 : crc >>> 1;
  return crc;
});
