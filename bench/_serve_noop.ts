/**
 * grpc-js and nothing else: every call is answered at once with the next of some real answers, which stand as
 * bytes in the file of the first argument, each after its length as four bytes.
 */
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";

const bytes = Buffer.from(await Deno.readFile(Deno.args[0] ?? ""));
const answers: Buffer[] = [];
for (let at = 0; at < bytes.length;) {
  const length = bytes.readUInt32BE(at);
  answers.push(bytes.subarray(at + 4, at + 4 + length));
  at += 4 + length;
}

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
