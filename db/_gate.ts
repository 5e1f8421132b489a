/** Places that are taken in turn: whoever waits for one does so in a bounded queue, and not without end. */
import { Overloaded } from "./errors.ts";

export interface GateLimits {
  places: number;
  /** How many may wait for a place. */
  waiting: number;
  /** How long one of them waits, in milliseconds. */
  waitMs: number;
}

export interface Gate {
  (): Promise<() => void>;
  /** How many wait now. */
  waiting(): number;
}

/**
 * Gives a function that takes a place, and resolves with the one that gives it back, to be called once.
 *
 * @throws {Overloaded} from that function: the queue is full, or the turn has not come in time
 */
export function createGate({ places, waiting, waitMs }: GateLimits): Gate {
  const queue = new Set<() => void>();
  let free = places;

  function leave(): void {
    const [next] = queue;
    if (next) next();
    else free++;
  }

  function turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const take = () => {
        clearTimeout(limit);
        queue.delete(take);
        resolve();
      };
      const limit = setTimeout(() => {
        queue.delete(take);
        reject(new Overloaded(`no connection was free within ${waitMs} ms`));
      }, waitMs);
      queue.add(take);
    });
  }

  const enter = async () => {
    if (free > 0) free--;
    else if (queue.size >= waiting) throw new Overloaded(`${queue.size} wait for a connection already`);
    else await turn();
    return leave;
  };
  return Object.assign(enter, { waiting: () => queue.size });
}
