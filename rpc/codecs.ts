/** Messages of each method: bytes to what the method takes, and what it returns to bytes. */
import { toBinary } from "@bufbuild/protobuf";
import { readMessage } from "../grpc/mod.ts";
import {
  ConfirmErasureRequestSchema,
  ConfirmErasureResponseSchema,
  ConfirmNoticeRequestSchema,
  ConfirmNoticeResponseSchema,
  type CustomerService,
  GetNoticeRequestSchema,
  GetNoticeResponseSchema,
} from "../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import type { CustomerMethods } from "./contract.ts";
import {
  readGroupsRequest,
  readSnapshotRequest,
  writeGroupsAnswer,
  writeSnapshotAnswer,
} from "./lookup_codec.ts";

export interface Codec<Request, Answer> {
  /** @throws {GrpcError} INVALID_ARGUMENT: the bytes are not the message */
  read(bytes: Uint8Array): Request;
  write(answer: Answer): Uint8Array;
}

type CodecOf<Method> = Method extends (request: infer Request, ...rest: never[]) => Promise<infer Answer>
  ? Codec<Request, Answer>
  : never;

/** A new rpc does not compile before it has a codec, and so a method. */
export const CODECS: { [Name in keyof typeof CustomerService.method]: CodecOf<CustomerMethods[Name]> } = {
  getCustomerGroups: { read: readGroupsRequest, write: writeGroupsAnswer },
  getCustomerSnapshot: { read: readSnapshotRequest, write: writeSnapshotAnswer },
  confirmErasure: {
    read: (bytes) => readMessage(ConfirmErasureRequestSchema, bytes),
    write: (answer) => toBinary(ConfirmErasureResponseSchema, answer),
  },
  getNotice: {
    read: (bytes) => readMessage(GetNoticeRequestSchema, bytes),
    write: (answer) => toBinary(GetNoticeResponseSchema, answer),
  },
  confirmNotice: {
    read: (bytes) => readMessage(ConfirmNoticeRequestSchema, bytes),
    write: (answer) => toBinary(ConfirmNoticeResponseSchema, answer),
  },
};
