/**
 * Standard reflection service, v1 and v1alpha: describes the contracts of a server to clients that lack them.
 */
import { type DescFile, type DescService, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Methods } from "./call.ts";
import { pathOf, streamMethod } from "./codec.ts";
import {
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponseSchema,
} from "./gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "./gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { STATUS } from "./status.ts";

type Answer = NonNullable<
  Extract<MessageInitShape<typeof ServerReflectionResponseSchema>, { messageResponse?: unknown }>[
    "messageResponse"
  ]
>;

/** @param services what is listed; the reflection services list themselves */
export function createReflection(services: readonly DescService[]): Methods {
  const listed = [...services, ServerReflection, ServerReflectionAlpha];
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  for (const { file } of listed) addFile(file, files);
  for (const file of files.values()) for (const symbol of symbolsOf(file)) symbols.set(symbol, file);
  const encoded = new Map(
    [...files.values()].map((file) => [file, toBinary(FileDescriptorProtoSchema, file.proto)]),
  );

  /** A file and what it imports, so that clients need not ask again. */
  function fileAnswer(file: DescFile | undefined): Answer {
    if (!file) return notFound();
    const closure = new Map<string, DescFile>();
    addFile(file, closure);
    return {
      case: "fileDescriptorResponse",
      value: { fileDescriptorProto: [...closure.values()].map((file) => encoded.get(file)!) },
    };
  }

  function answer({ messageRequest }: ServerReflectionRequest): Answer {
    switch (messageRequest.case) {
      case "listServices":
        return {
          case: "listServicesResponse",
          value: { service: listed.map(({ typeName }) => ({ name: typeName })) },
        };
      case "fileByFilename":
        return fileAnswer(files.get(messageRequest.value));
      case "fileContainingSymbol":
        return fileAnswer(symbols.get(messageRequest.value));
      default:
        return notFound(); // these contracts have no extensions
    }
  }

  async function* reflect(requests: AsyncIterable<ServerReflectionRequest>) {
    for await (const originalRequest of requests) {
      yield { validHost: originalRequest.host, originalRequest, messageResponse: answer(originalRequest) };
    }
  }

  const { serverReflectionInfo } = ServerReflection.method;
  const method = streamMethod(serverReflectionInfo, reflect);
  // Both versions have the same messages.
  return {
    [pathOf(serverReflectionInfo)]: method,
    [pathOf(ServerReflectionAlpha.method.serverReflectionInfo)]: method,
  };
}

function addFile(file: DescFile, files: Map<string, DescFile>): void {
  if (files.has(file.proto.name)) return;
  files.set(file.proto.name, file);
  for (const dependency of file.dependencies) addFile(dependency, files);
}

function* symbolsOf(file: DescFile): Generator<string> {
  for (const service of file.services) {
    yield service.typeName;
    for (const { name } of service.methods) yield `${service.typeName}.${name}`;
  }
  const messages = [...file.messages];
  for (let message = messages.pop(); message; message = messages.pop()) {
    yield message.typeName;
    for (const { name } of message.fields) yield `${message.typeName}.${name}`;
    for (const { typeName } of message.nestedEnums) yield typeName;
    messages.push(...message.nestedMessages);
  }
  for (const { typeName } of file.enums) yield typeName;
}

function notFound(): Answer {
  return {
    case: "errorResponse",
    value: { errorCode: STATUS.NOT_FOUND, errorMessage: "Cannot find it among this server's contracts" },
  };
}
