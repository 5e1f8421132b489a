/** Messages of a streaming call, in order, between the connection and the reader of the call. */

/** Memory of a waiting message in addition to its bytes: two objects and an array buffer. */
const OVERHEAD_BYTES = 256;

export class MessageQueue implements AsyncIterableIterator<Uint8Array> {
  readonly #waiting: { message: Uint8Array; credit: number }[] = [];
  readonly #onTaken: (credit: number) => void;
  readonly #onLeft: () => void;
  #reader: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>> | undefined;
  #end: { error?: unknown } | undefined;
  #bytes = 0;

  /**
   * @param onTaken called with the credit of each message once it is read or dropped
   * @param onLeft called when the reader stops before the end
   */
  constructor(onTaken: (credit: number) => void, onLeft: () => void = () => {}) {
    this.#onTaken = onTaken;
    this.#onLeft = onLeft;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Memory of the messages that wait, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param credit bytes that the peer may send again once the message is read */
  push(message: Uint8Array, credit: number): void {
    if (this.#end) return this.#onTaken(credit);
    if (!this.#reader) {
      this.#waiting.push({ message, credit });
      this.#bytes += message.length + OVERHEAD_BYTES;
      return;
    }
    this.#reader.resolve({ done: false, value: message });
    this.#reader = undefined;
    this.#onTaken(credit);
  }

  /** Ends the iteration after what waits. */
  close(): void {
    this.#finish({});
  }

  /** Ends the iteration with an error after what waits. */
  fail(error: unknown): void {
    this.#finish({ error });
  }

  /** Drops the messages that wait. */
  drop(): void {
    this.#bytes = 0;
    for (const { credit } of this.#waiting.splice(0)) this.#onTaken(credit);
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const next = this.#waiting.shift();
    if (next) {
      this.#bytes -= next.message.length + OVERHEAD_BYTES;
      this.#onTaken(next.credit);
      return Promise.resolve({ done: false, value: next.message });
    }
    if (this.#end) {
      return "error" in this.#end
        ? Promise.reject(this.#end.error)
        : Promise.resolve({ done: true, value: undefined });
    }
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.drop();
    if (!this.#end) {
      this.#end = {};
      this.#onLeft();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(end: { error?: unknown }): void {
    if (this.#end) return;
    this.#end = end;
    if (!this.#reader) return;
    if ("error" in end) this.#reader.reject(end.error);
    else this.#reader.resolve({ done: true, value: undefined });
    this.#reader = undefined;
  }
}
