/** Files with the messages of a benchmark: requests, and real responses for the no-op servers. */
import { create, toBinary } from "@bufbuild/protobuf";
import { Buffer } from "node:buffer";
import { openPool } from "../db/connect.ts";
import { createLookups } from "../db/lookups.ts";
import { GetCustomerGroupsRequestSchema } from "../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import { writeGroupsAnswer } from "../rpc/lookup_codec.ts";
import { createLookupMethods } from "../rpc/lookups.ts";
import type { CustomerId } from "./_database.ts";

/** Writes a request for each customer. All have the same length. */
export async function writeRequests(folder: string, ids: CustomerId[]) {
  const encoded = ids.map((id) =>
    toBinary(GetCustomerGroupsRequestSchema, create(GetCustomerGroupsRequestSchema, id))
  );
  const requestLength = encoded[0]?.length ?? 0;
  const requests = `${folder}/requests`;
  const bytes = new Uint8Array(requestLength * encoded.length);
  encoded.forEach((one, at) => bytes.set(one, at * requestLength));
  await Deno.writeFile(requests, bytes);
  return { requests, requestLength };
}

/** Writes up to 1,000 real responses, each after its length in four bytes. Returns the path of the file. */
export async function writeAnswers(folder: string, url: string, ids: CustomerId[]): Promise<string> {
  const sql = openPool(url, "customer_reader", 1);
  const { getCustomerGroups } = createLookupMethods(createLookups(sql));
  const context = {
    caller: { service: "bench" },
    deadline: undefined,
    signal: new AbortController().signal,
    wanted: () => true,
  };
  const answers = await Promise.all(
    ids.slice(0, 1_000).map(async (id) => writeGroupsAnswer(await getCustomerGroups(id, context))),
  );
  await sql.end();
  const path = `${folder}/answers`;
  await Deno.writeFile(path, Buffer.concat(answers.flatMap((bytes) => [length(bytes), bytes])));
  return path;
}

function length(bytes: Uint8Array): Buffer {
  const written = Buffer.alloc(4);
  written.writeUInt32BE(bytes.length);
  return written;
}

export async function readAnswers(path: string): Promise<Buffer[]> {
  const bytes = Buffer.from(await Deno.readFile(path));
  const answers: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    answers.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return answers;
}
