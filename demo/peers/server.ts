/** Serves a demonstration service's DataSubjectService on a free port of the loopback interface. */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { getLogger } from "@logtape/logtape";
import { Buffer } from "node:buffer";
import {
  type CollectCustomerDataRequest,
  CollectCustomerDataRequestSchema,
  type CollectCustomerDataResponse,
  CollectCustomerDataResponseSchema,
  DataSubjectService,
} from "../../proto/gen/io/shopstar/customer/v1/data_subject_service_pb.ts";
import type { DemoService } from "./service.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const { name } = DataSubjectService.method.collectCustomerData;
const METHOD: grpc.MethodDefinition<CollectCustomerDataRequest, CollectCustomerDataResponse> = {
  path: `/${DataSubjectService.typeName}/${name}`,
  requestStream: false,
  responseStream: true,
  requestSerialize: (request) => Buffer.from(toBinary(CollectCustomerDataRequestSchema, request)),
  requestDeserialize: (bytes) => fromBinary(CollectCustomerDataRequestSchema, bytes),
  responseSerialize: (record) => Buffer.from(toBinary(CollectCustomerDataResponseSchema, record)),
  responseDeserialize: (bytes) => fromBinary(CollectCustomerDataResponseSchema, bytes),
};

export interface DemoServer extends AsyncDisposable {
  url: URL;
}

/** @param failures how many calls are answered UNAVAILABLE first, so that a newcomer sees what comes of it */
export async function serveDemoService(service: DemoService, failures: number): Promise<DemoServer> {
  const log = getLogger(["customer-service", "demo"]);
  const server = new grpc.Server();
  let left = failures;

  function collect(call: grpc.ServerWritableStream<CollectCustomerDataRequest, CollectCustomerDataResponse>) {
    const { customerId, storeId, requestId, resumeAfter } = call.request;
    if (![customerId, storeId, requestId].every((id) => UUID.test(id))) {
      call.emit("error", { code: grpc.status.INVALID_ARGUMENT, details: "an id is not a UUID" });
      return;
    }
    if (left > 0) {
      left--;
      log.info("{service} is away when asked for request {requestId}: it wants to be asked again", {
        service: service.name,
        requestId,
      });
      call.emit("error", { code: grpc.status.UNAVAILABLE, details: "not yet" });
      return;
    }
    const records = service.collect(customerId, resumeAfter);
    for (const record of records) call.write(record);
    call.end();
    log.info("{service} sends {count} records for request {requestId}", {
      service: service.name,
      count: records.length,
      requestId,
    });
  }

  server.addService({ [name]: METHOD }, { [name]: collect });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    })
  );
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    [Symbol.asyncDispose]() {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}
