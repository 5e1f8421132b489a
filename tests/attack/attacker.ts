/**
 * Process that runs one attack: `attacker.ts {"name", "port", "from", "tokens", "durationMs"}`. Prints the
 * attack's counts as JSON.
 */
import { findAttack } from "./attacks/mod.ts";
import { createTarget, type Tokens } from "./target.ts";

export interface Order {
  name: string;
  port: number;
  from: string;
  tokens: Tokens;
  durationMs: number;
}

const { name, port, from, tokens, durationMs } = JSON.parse(Deno.args[0] ?? "") as Order;
const attack = findAttack(name);
if (!attack) throw new Error(`Cannot run ${name}: unknown attack`);
const { bytesPerSecond = 8_000_000, connectionsPerSecond = 500 } = attack;
const over = new AbortController();
const target = createTarget({
  port,
  from,
  tokens,
  signal: over.signal,
  bytesPerSecond,
  connectionsPerSecond,
});
const ended = new Promise<void>((resolve) => {
  setTimeout(() => {
    over.abort();
    resolve();
  }, durationMs);
});
// An attack with nothing left to send keeps its connections until its time has passed.
await Promise.all([ended, Promise.race([attack.run(target), ended])]);
// deno-lint-ignore no-console -- what a process prints is its result
console.log(JSON.stringify(target.counts));
Deno.exit(0); // closes every connection
