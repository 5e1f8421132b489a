/** DataSubjectService server of a demo service, on a free loopback port. */
import { getLogger } from "@logtape/logtape";
import { GrpcError, pathOf, serve, streamMethod } from "../../grpc/mod.ts";
import {
  type CollectCustomerDataRequest,
  DataSubjectService,
} from "../../proto/gen/io/shopstar/customer/v1/data_subject_service_pb.ts";
import type { DemoService } from "./service.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const { collectCustomerData } = DataSubjectService.method;

export interface DemoServer extends AsyncDisposable {
  url: URL;
}

/** @param isAvailable whether a call for a customer is answered, or fails with UNAVAILABLE */
export async function serveDemoService(
  service: DemoService,
  isAvailable: (customerId: string) => boolean,
): Promise<DemoServer> {
  const log = getLogger(["customer-service", "demo"]);

  async function* collect(requests: AsyncIterable<CollectCustomerDataRequest>) {
    for await (const request of requests) {
      const { customerId, storeId, requestId } = request;
      if (![customerId, storeId, requestId].every((id) => UUID.test(id))) {
        throw new GrpcError("INVALID_ARGUMENT", "an id is not a UUID");
      }
      if (!isAvailable(customerId)) {
        log.debug("{service} does not answer a call of request {requestId}, to show a retry", {
          service: service.name,
          requestId,
        });
        throw new GrpcError("UNAVAILABLE", "not yet");
      }
      const records = service.collect(request);
      yield* records;
      log.info("{service} sends {count} records for request {requestId}", {
        service: service.name,
        count: records.length,
        requestId,
      });
    }
  }

  const server = await serve({
    hostname: "127.0.0.1",
    port: 0,
    methods: { [pathOf(collectCustomerData)]: streamMethod(collectCustomerData, collect) },
  });
  return {
    url: new URL(`http://127.0.0.1:${server.port}`),
    [Symbol.asyncDispose]: () => server.close(0),
  };
}
