/** What a client without our contracts may ask about. */
import { type DescFile, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { ReflectionService } from "@grpc/reflection";
import { Buffer } from "node:buffer";

/**
 * The files go in as buf wrote them. What proto-loader makes of a file (its own form, in which the library wants
 * to be handed everything else) loses imports and maps, and strict clients such as grpcurl refuse it.
 */
export function createReflection(file: DescFile): ReflectionService {
  const fileDescriptorProtos = [file, ...file.dependencies]
    .map(({ proto }) => Buffer.from(toBinary(FileDescriptorProtoSchema, proto)));
  return new ReflectionService({
    [file.name]: {
      format: "Protocol Buffer 3 DescriptorProto",
      type: {},
      fileDescriptorProtos,
    },
  });
}
