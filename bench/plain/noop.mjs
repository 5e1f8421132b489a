/** No-op grpc-js server on Node: each call returns the next of some real responses: `noop.mjs FILE`. */
import grpc from "@grpc/grpc-js";
import { readFile } from "node:fs/promises";

const bytes = await readFile(process.argv[2]);
const answers = [];
for (let at = 0; at < bytes.length;) {
  const length = bytes.readUInt32BE(at); // each answer follows its length
  answers.push(bytes.subarray(at + 4, at + 4 + length));
  at += 4 + length;
}
const same = (value) => value;
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
  GetCustomerGroups: (_call, callback) => callback(null, answers[turn++ % answers.length]),
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});
