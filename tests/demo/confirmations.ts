/** Stands in for customer-service's gRPC door: takes confirmations, and keeps what has come with them. */
import { GrpcError, pathOf, serve, type StatusName, unaryMethod } from "../../grpc/mod.ts";
import {
  type ConfirmErasureRequest,
  CustomerService,
} from "../../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";

export interface Confirmations extends AsyncDisposable {
  /** host:port */
  address: string;
  received: { request: ConfirmErasureRequest; token: string }[];
}

/** @param statusOf what the nth call, from 1, is answered */
export async function takeConfirmations(
  statusOf: (nth: number) => StatusName = () => "OK",
): Promise<Confirmations> {
  const received: Confirmations["received"] = [];
  let calls = 0;
  const { confirmErasure } = CustomerService.method;
  const server = await serve({
    hostname: "127.0.0.1",
    port: 0,
    methods: {
      [pathOf(confirmErasure)]: unaryMethod(confirmErasure, (request, { metadata }) => {
        const status = statusOf(++calls);
        if (status !== "OK") throw new GrpcError(status, "");
        received.push({ request, token: String(metadata.get("authorization")).replace("Bearer ", "") });
        return { accepted: true };
      }),
    },
  });
  return {
    address: `127.0.0.1:${server.port}`,
    received,
    [Symbol.asyncDispose]: () => server.close(0),
  };
}
