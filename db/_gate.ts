/** Semaphore with a bounded queue and a wait timeout. */
import { Overloaded } from "./errors.ts";

export interface GateLimits {
  places: number;
  /** Limit of waiting callers. */
  waiting: number;
  /** Wait timeout, in milliseconds. */
  waitMs: number;
}

export interface Gate {
  (): Promise<() => void>;
  /** Number of callers that wait now. */
  waiting(): number;
}

/**
 * Returns a function that acquires a slot and resolves with its release function, to be called once.
 *
 * @throws {Overloaded} from the returned function: the queue is full, or the wait has timed out
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
