/**
 * Serves the echo service in a process of its own until standard input ends: `echo_process.ts [TLS]`, where TLS is a
 * JSON object of PEM texts. Prints its port.
 */
import { ECHO_METHODS } from "./echo_service.ts";
import { serve } from "./transport.ts";

const tls = Deno.args[0] ? JSON.parse(Deno.args[0]) : undefined;
const server = await serve({ hostname: "127.0.0.1", port: 0, tls, methods: ECHO_METHODS });
// deno-lint-ignore no-console -- what a process prints is its result
console.log(server.port);
for await (const _ of Deno.stdin.readable);
await server.close();
Deno.exit(0);
