/** Deadlines of calls: one timer for all of them, accurate to a few milliseconds. */

/** Deadlines in the same slot expire together. */
const SLOT_MS = 4;
/** The longest delay that a timer takes; what is due later is looked at again then. */
const MAX_TIMER_MS = 60_000;

export interface Deadline {
  /** Monotonic milliseconds. */
  readonly at: number;
  expire(): void;
}

export class Deadlines implements Disposable {
  readonly #slots = new Map<number, Set<Deadline>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;

  add(deadline: Deadline): void {
    const slot = slotOf(deadline);
    const set = this.#slots.get(slot);
    if (set) set.add(deadline);
    else this.#slots.set(slot, new Set([deadline]));
    const due = slot * SLOT_MS;
    if (due < this.#timerAt) this.#arm(due);
  }

  delete(deadline: Deadline): void {
    const slot = slotOf(deadline);
    const set = this.#slots.get(slot);
    if (set?.delete(deadline) && set.size === 0) this.#slots.delete(slot);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#slots.clear();
  }

  #arm(due: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = due;
    const delay = Math.min(Math.max(due - performance.now(), 0), MAX_TIMER_MS);
    this.#timer = setTimeout(this.#look, delay);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  readonly #look = () => {
    this.#timerAt = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const [slot, deadlines] of this.#slots) {
      if (slot * SLOT_MS > now) {
        next = Math.min(next, slot * SLOT_MS);
        continue;
      }
      this.#slots.delete(slot);
      for (const deadline of deadlines) deadline.expire();
    }
    if (next < this.#timerAt) this.#arm(next);
  };
}

/** A deadline expires at the end of its slot, never early. */
function slotOf({ at }: Deadline): number {
  return Math.ceil(at / SLOT_MS);
}
