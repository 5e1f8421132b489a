// The echo service of ../../echo_service.ts with grpc-js on Node, which is what our server is compared with. Prints its
// port, and ends with standard input.
// deno-lint-ignore-file no-console -- what a process prints is its result
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import process from "node:process";

const same = (bytes) => bytes;
const codec = {
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};
const path = (method) => `/echo.v1.Echo/${method}`;

function echoMetadata(call) {
  const [header, trailer] = [new grpc.Metadata(), new grpc.Metadata()];
  for (const value of call.metadata.get("x-echo-initial")) header.add("x-echo-initial", value);
  for (const value of call.metadata.get("x-echo-trailing-bin")) trailer.add("x-echo-trailing-bin", value);
  call.sendMetadata(header);
  return trailer;
}

const UNARY = {
  Unary: (call, callback) => callback(null, call.request, echoMetadata(call)),
  Status: (call, callback) =>
    callback({ code: call.request[0] ?? 0, details: call.request.subarray(1).toString() }),
  Sleep(call, callback) {
    const timer = setTimeout(() => callback(null, Buffer.alloc(0)), call.request.readUInt32BE(0));
    call.once("cancelled", () => clearTimeout(timer));
  },
};

const STREAMING = {
  Stream(call) {
    const trailer = echoMetadata(call);
    call.on("data", (request) => {
      const message = Buffer.alloc(request.readUInt32BE(4));
      for (let sent = 0; sent < request.readUInt32BE(0); sent++) call.write(message);
    });
    call.on("end", () => call.end(trailer));
  },
  PingPong(call) {
    const trailer = echoMetadata(call);
    call.on("data", (request) => call.write(request));
    call.on("end", () => call.end(trailer));
  },
};

// Calls under way, those that have neither answered nor been canceled.
let running = 0;
function counted(handler) {
  return (call, ...rest) => {
    running++;
    let over = false;
    const leave = () => {
      if (!over) running--;
      over = true;
    };
    for (const end of ["cancelled", "finish", "error", "close"]) call.once(end, leave);
    const [callback] = rest;
    return handler(call, ...callback ? [(...answer) => (leave(), callback(...answer))] : []);
  };
}

const server = new grpc.Server({ "grpc.max_concurrent_streams": 100 });
for (const [methods, isStream] of [[UNARY, false], [STREAMING, true]]) {
  for (const [name, handler] of Object.entries(methods)) {
    const definition = { path: path(name), requestStream: isStream, responseStream: isStream, ...codec };
    server.addService({ [name]: definition }, { [name]: counted(handler) });
  }
}
const runningDefinition = { path: path("Running"), requestStream: false, responseStream: false, ...codec };
server.addService({ Running: runningDefinition }, {
  Running(_, callback) {
    const answer = Buffer.alloc(4);
    answer.writeUInt32BE(running);
    callback(null, answer);
  },
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
process.stdin.resume().once("end", () => process.exit(0));
