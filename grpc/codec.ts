/** Methods written against protobuf-es messages, as methods of bytes. */
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { Call, StreamMethod, UnaryMethod } from "./call.ts";
import { GrpcError } from "./status.ts";

/** "/package.Service/Method". */
export function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

/** @throws {GrpcError} INVALID_ARGUMENT */
export function readMessage<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
): MessageShape<Schema> {
  try {
    return fromBinary(schema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw new GrpcError("INVALID_ARGUMENT", `Cannot read the request: it is not a ${schema.name}`, { cause });
  }
}

export function writeMessage<Schema extends DescMessage>(
  schema: Schema,
  message: MessageInitShape<Schema>,
): Uint8Array {
  return toBinary(schema, create(schema, message));
}

export function unaryMethod<Input extends DescMessage, Output extends DescMessage>(
  { input, output }: DescMethod & { input: Input; output: Output },
  handle: (request: MessageShape<Input>, call: Call) => MessageInitShape<Output>,
): UnaryMethod {
  return {
    kind: "unary",
    handle: (bytes, call) => writeMessage(output, handle(readMessage(input, bytes), call)),
  };
}

export function streamMethod<Input extends DescMessage, Output extends DescMessage>(
  { input, output }: DescMethod & { input: Input; output: Output },
  handle: (
    requests: AsyncIterable<MessageShape<Input>>,
    call: Call,
  ) => AsyncIterable<MessageInitShape<Output>>,
): StreamMethod {
  return {
    kind: "stream",
    async *handle(requests, call) {
      for await (const response of handle(read(input, requests), call)) yield writeMessage(output, response);
    },
  };
}

async function* read<Schema extends DescMessage>(
  schema: Schema,
  requests: AsyncIterable<Uint8Array>,
): AsyncGenerator<MessageShape<Schema>> {
  for await (const bytes of requests) yield readMessage(schema, bytes);
}
