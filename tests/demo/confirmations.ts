/** Fake ConfirmErasure server that records its calls. */
import { GrpcError, pathOf, serve, type StatusName, unaryMethod } from "../../grpc/mod.ts";
import {
  type ConfirmErasureRequest,
  CustomerService,
} from "../../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";

export interface ConfirmationServer extends AsyncDisposable {
  /** host:port */
  address: string;
  received: { request: ConfirmErasureRequest; token: string }[];
}

/** @param statusOf status of the nth call, from 1 */
export async function startConfirmationServer(
  statusOf: (nth: number) => StatusName = () => "OK",
): Promise<ConfirmationServer> {
  const received: ConfirmationServer["received"] = [];
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
