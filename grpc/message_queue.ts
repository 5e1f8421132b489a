/** Messages of a streaming call, in order, between the connection and the reader of the call. */

interface Waiting {
  message: Uint8Array;
  credit: number;
  unpack: Unpack | undefined;
}

/** Decompresses a message. @throws {GrpcError} */
type Unpack = (message: Uint8Array) => Uint8Array;

/** Memory of a waiting message in addition to its bytes: two objects and an array buffer. */
const OVERHEAD_BYTES = 256;

export class MessageQueue implements AsyncIterableIterator<Uint8Array> {
  readonly #waiting: Waiting[] = [];
  readonly #onTaken: (credit: number) => void;
  readonly #onLeft: () => void;
  #reader: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>> | undefined;
  #end: { error?: unknown } | undefined;
  #bytes = 0;

  /**
   * @param onTaken called with the credit of each message once it is read
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

  /**
   * @param credit bytes that the peer may send again once the message is read
   * @param unpack of a compressed message, which waits as it is: a few bytes may unpack to the largest message
   */
  push(message: Uint8Array, credit: number, unpack?: Unpack): void {
    if (this.#end) return this.#onTaken(credit);
    this.#waiting.push({ message, credit, unpack });
    this.#bytes += message.length + OVERHEAD_BYTES;
    if (!this.#reader) return;
    this.#reader.resolve(this.next());
    this.#reader = undefined;
  }

  /** Returns credit for bytes of a message that is not complete: once what waits before it is read. */
  returnLater(credit: number): void {
    const last = this.#waiting.at(-1);
    if (last && !this.#end) last.credit += credit;
    else this.#onTaken(credit);
  }

  /** Returns the credit of everything that waits; it can still be read. */
  returnCredit(): void {
    for (const waiting of this.#waiting) {
      this.#onTaken(waiting.credit);
      waiting.credit = 0;
    }
  }

  /** Ends the iteration after what waits. */
  close(): void {
    this.#finish({});
  }

  /** Ends the iteration with an error after what waits. */
  fail(error: unknown): void {
    this.#finish({ error });
    this.returnCredit();
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const next = this.#waiting.shift();
    if (next) {
      this.#bytes -= next.message.length + OVERHEAD_BYTES;
      this.#onTaken(next.credit);
      try {
        const value = next.unpack ? next.unpack(next.message) : next.message;
        return Promise.resolve({ done: false, value });
      } catch (error) {
        this.#discard();
        this.#end = { error };
        return Promise.reject(error);
      }
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
    this.#discard();
    if (!this.#end) {
      this.#end = {};
      this.#onLeft();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #discard(): void {
    this.#bytes = 0;
    for (const { credit } of this.#waiting.splice(0)) this.#onTaken(credit);
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
