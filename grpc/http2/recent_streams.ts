/** Outcomes of the most recently closed streams, by which late frames are judged. */

export const ENDED = 1;
export const RESET_BY_PEER = 2;
export const RESET_BY_US = 3;
export type Ending = typeof ENDED | typeof RESET_BY_PEER | typeof RESET_BY_US;

const KEPT = 128;

export class RecentStreams {
  readonly #ids = new Int32Array(KEPT);
  readonly #endings = new Uint8Array(KEPT);
  #next = 0;

  add(id: number, ending: Ending): void {
    this.#ids[this.#next] = id;
    this.#endings[this.#next] = ending;
    this.#next = (this.#next + 1) % KEPT;
  }

  get(id: number): Ending | undefined {
    const at = this.#ids.lastIndexOf(id);
    return at < 0 ? undefined : this.#endings[at] as Ending;
  }
}
