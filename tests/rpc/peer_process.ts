// deno-lint-ignore-file no-console -- what it prints is how its parent learns the port
/** Participant in its own process, whose memory does not count: sends a given number of records of 1 kB. */
import { order, startPeer } from "./peer.ts";

const count = Number(Deno.args[0]);
const text = "x".repeat(1_000);
const peer = await startPeer(async (call) => {
  for (let number = Number(call.request.resumeAfter ?? 0) + 1; number <= count; number++) {
    await call.send(order(number, { data: { text } }));
    // The server accepts any amount: only turns of the loop keep it from buffering all of it.
    if (number % 100 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
});
console.log(peer.url.href);
