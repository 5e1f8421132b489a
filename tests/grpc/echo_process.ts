/**
 * Serves the echo service in a process of its own until standard input ends: `echo_process.ts [TLS]`, where TLS is a
 * JSON object of PEM texts. Prints its port.
 */
import { serve } from "../../grpc/mod.ts";
import { ECHO_METHODS } from "./echo_service.ts";

const tls = Deno.args[0] ? JSON.parse(Deno.args[0]) : undefined;
const server = await serve({
  hostname: "127.0.0.1",
  port: 0,
  tls,
  methods: ECHO_METHODS,
  limits: { newBurst: 1e6, newPerSecond: 1e6 }, // h2spec and the fuzzer open a connection for each case
});
// deno-lint-ignore no-console -- what a process prints is its result
console.log(server.port);
for await (const _ of Deno.stdin.readable);
await server.close();
Deno.exit(0);
