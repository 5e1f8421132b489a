/**
 * An HTTP server that nobody attacks. What an innocent client waits for it is what the machine costs, or the attacker's
 * own work, and no fault of the service. Prints its port, and ends with standard input.
 */
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("ok"));
// deno-lint-ignore no-console -- what a process prints is its result
console.log(server.addr.port);
for await (const _ of Deno.stdin.readable);
Deno.exit(0);
