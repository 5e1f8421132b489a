/**
 * HTTP server that is not attacked. Its latency for an innocent client comes from the machine and the attacker's CPU time,
 * not from the service. Prints its port, and exits when standard input closes.
 */
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("ok"));
// deno-lint-ignore no-console -- what a process prints is its result
console.log(server.addr.port);
for await (const _ of Deno.stdin.readable);
Deno.exit(0);
