// deno-lint-ignore-file no-console -- what it prints is how its parent learns the port
/** A peer in a process of its own, whose memory does not count: sends as many records of 1 kB as it is told to. */
import { order, startPeer } from "./peer.ts";

const count = Number(Deno.args[0]);
const text = "x".repeat(1_000);
const peer = await startPeer(async (call) => {
  for (let number = Number(call.request.resumeAfter ?? 0) + 1; number <= count; number++) {
    await call.send(order(number, { data: { text } }));
    // The server takes whatever it is given: only turns of the loop keep it from gathering all of it.
    if (number % 100 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
});
console.log(peer.url.href);
