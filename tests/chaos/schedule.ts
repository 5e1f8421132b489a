/** Injects faults: a fixed program, or random ones, one or two at a time. */
import type { FaultKind } from "./faults.ts";
import type { Line } from "./history.ts";
import type { Load } from "./load.ts";
import type { Random } from "./random.ts";
import type { Replica } from "./replica.ts";
import type { Stack } from "./stack.ts";

export interface Chaos {
  stack: Stack;
  load: Load;
  random: Random;
  record: (line: Line) => void;
  /** Prints a line of progress. */
  print: (line: string) => void;
}

/** Time in which every replica has to serve again before the next fault. */
const SERVED_LIMIT_MS = 20_000;

/** Injects one fault, and waits until every replica has served after its end. */
export async function injectFault(
  chaos: Chaos,
  kind: FaultKind,
  { holdMs, replica = pickReplica(chaos, kind) }: { holdMs?: number; replica?: Replica } = {},
): Promise<void> {
  const { stack, random, record, print, load } = chaos;
  const startedAt = Date.now();
  const active = await kind.begin({ stack, random, replica });
  await pause(holdMs ?? random.between(...kind.holdMs));
  const facts = await active.end();
  const endedAt = Date.now();
  record({ kind: "fault", name: kind.name, target: active.target, startedAt, endedAt, ...facts });
  const limit = endedAt + SERVED_LIMIT_MS;
  const names = stack.replicas.map(({ name }) => name);
  while (!names.every((name) => load.servedSince(name, endedAt)) && Date.now() < limit) await pause(50);
  const lost = facts.lostAnswers === undefined ? "" : `, ${facts.lostAnswers} answers lost`;
  print(
    `${kind.name} (${active.target}) for ${seconds(endedAt - startedAt)}${lost}; ` +
      `all replicas serve after ${seconds(Date.now() - endedAt)}`,
  );
}

function pickReplica({ stack, random }: Chaos, { affects = () => true }: FaultKind): Replica {
  return random.pick(stack.replicas.filter(affects));
}

/**
 * Injects random faults until the time is over, every kind once before any of them again.
 *
 * @param lanes how many faults there are at a time
 */
export async function injectRandom(
  chaos: Chaos,
  kinds: readonly FaultKind[],
  { lanes, until }: { lanes: number; until: number },
): Promise<void> {
  const possible = kinds.filter(({ affects = () => true }) => chaos.stack.replicas.some(affects));
  let deck: FaultKind[] = [];
  const taken = new Set<string>();
  const run = async () => {
    while (Date.now() < until) {
      if (deck.length === 0) deck = shuffled(possible, chaos.random);
      const index = deck.findIndex(({ resource }) => !taken.has(resource));
      const [kind] = index < 0 ? [] : deck.splice(index, 1);
      if (!kind) {
        await pause(200);
        continue;
      }
      taken.add(kind.resource);
      try {
        await injectFault(chaos, kind);
      } finally {
        taken.delete(kind.resource);
      }
      await pause(chaos.random.between(500, 2_500));
    }
  };
  await Promise.all(Array.from({ length: lanes }, run));
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const deck = [...values];
  for (let at = deck.length - 1; at > 0; at--) {
    const other = random.between(0, at);
    [deck[at], deck[other]] = [deck[other]!, deck[at]!];
  }
  return deck;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
