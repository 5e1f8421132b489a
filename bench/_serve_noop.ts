/** grpc-js and nothing else: every call is answered at once with bytes, the next of some real answers in a file. */
import * as grpc from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";
import { readAnswers } from "./_messages.ts";

const answers = await readAnswers(Deno.args[0] ?? "");
const same = (value: Buffer) => value;
const server = new grpc.Server();
let turn = 0;
server.addService({
  GetCustomerGroups: {
    path: "/io.shopstar.customer.v1.CustomerService/GetCustomerGroups",
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
}, {
  GetCustomerGroups: (_call: unknown, callback: grpc.sendUnaryData<Buffer>) =>
    callback(null, answers[turn++ % answers.length]),
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  Deno.stdout.write(new TextEncoder().encode(`${port}\n`));
});
