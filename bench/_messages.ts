/** File with the requests of a load generator. */
import { create, toBinary } from "@bufbuild/protobuf";
import { GetCustomerGroupsRequestSchema } from "../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import type { CustomerId } from "./_database.ts";

/** Writes a request for each customer. All have the same length. */
export async function writeRequests(requests: string, ids: readonly CustomerId[]) {
  const encoded = ids.map((id) =>
    toBinary(GetCustomerGroupsRequestSchema, create(GetCustomerGroupsRequestSchema, id))
  );
  const requestLength = encoded[0]?.length ?? 0;
  const bytes = new Uint8Array(requestLength * encoded.length);
  encoded.forEach((one, at) => bytes.set(one, at * requestLength));
  await Deno.writeFile(requests, bytes);
  return { requests, requestLength };
}
