/** Bounded cache with an expiry for each entry. */
import { LRUCache } from "lru-cache";

/** Removes the entry that was not used for the longest time when it is full. */
export class ExpiringCache<Value> {
  // The expiry of LRUCache reads the clock several times an access, or keeps a timer running.
  readonly #entries: LRUCache<string, { value: Value; until: number }>;

  /** @param max number of entries */
  constructor(max: number) {
    this.#entries = new LRUCache({ max });
  }

  /** Undefined if the entry is missing or has expired. */
  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (performance.now() < entry.until) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  /** @param ttlMs the entry expires after as many milliseconds; not positive: it is not stored */
  set(key: string, value: Value, ttlMs: number): void {
    if (ttlMs > 0) this.#entries.set(key, { value, until: performance.now() + ttlMs });
    else this.#entries.delete(key);
  }
}
