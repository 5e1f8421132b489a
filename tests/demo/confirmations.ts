/** Stands in for customer-service's gRPC door: takes confirmations, and keeps what has come with them. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import {
  type ConfirmErasureRequest,
  ConfirmErasureRequestSchema,
  ConfirmErasureResponseSchema,
} from "../../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";

export interface Confirmations extends AsyncDisposable {
  /** host:port */
  address: string;
  received: { request: ConfirmErasureRequest; token: string }[];
}

/** @param statusOf what the nth call, from 1, is answered */
export async function takeConfirmations(
  statusOf: (nth: number) => grpc.status = () => grpc.status.OK,
): Promise<Confirmations> {
  const server = new grpc.Server();
  const received: Confirmations["received"] = [];
  let calls = 0;
  server.addService({
    ConfirmErasure: {
      path: "/io.shopstar.customer.v1.CustomerService/ConfirmErasure",
      requestStream: false,
      responseStream: false,
      requestSerialize: (request: ConfirmErasureRequest) =>
        Buffer.from(toBinary(ConfirmErasureRequestSchema, request)),
      requestDeserialize: (bytes: Buffer) => fromBinary(ConfirmErasureRequestSchema, bytes),
      responseSerialize: () =>
        Buffer.from(
          toBinary(ConfirmErasureResponseSchema, create(ConfirmErasureResponseSchema, { accepted: true })),
        ),
      responseDeserialize: (bytes: Buffer) => bytes,
    },
  }, {
    ConfirmErasure(
      call: grpc.ServerUnaryCall<ConfirmErasureRequest, unknown>,
      answer: grpc.sendUnaryData<unknown>,
    ) {
      const code = statusOf(++calls);
      if (code !== grpc.status.OK) return answer({ code });
      const [header] = call.metadata.get("authorization");
      received.push({ request: call.request, token: String(header).replace("Bearer ", "") });
      answer(null, {});
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    })
  );
  return {
    address: `127.0.0.1:${port}`,
    received,
    [Symbol.asyncDispose]() {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}
