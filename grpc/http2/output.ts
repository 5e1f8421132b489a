/** Outgoing bytes of a connection: gathered during a turn of the event loop, and written with one call. */
import { setImmediate } from "node:timers";
import { ByteWriter } from "../byte_writer.ts";
import type { ByteStream } from "./byte_stream.ts";

/** A buffer that has grown beyond this for one answer is not kept. */
const KEPT_BYTES = 65_536;

const dirty: Output[] = [];

function flushAll(): void {
  for (const output of dirty.splice(0)) output.flush();
}

export class Output {
  /** Append here, then call `changed`. */
  writer = new ByteWriter();
  /** Monotonic time at which the write that is under way began. */
  writingSince: number | undefined;
  readonly #stream: ByteStream;
  readonly #onWritten: () => void;
  readonly #onLost: (cause: unknown) => void;
  #spare = new ByteWriter();
  #isDirty = false;
  #written: PromiseWithResolvers<void> | undefined;

  constructor(stream: ByteStream, onWritten: () => void, onLost: (cause: unknown) => void) {
    this.#stream = stream;
    this.#onWritten = onWritten;
    this.#onLost = onLost;
  }

  /** Bytes that the socket has not begun to take. */
  get waiting(): number {
    return this.writer.length;
  }

  changed(): void {
    if (this.#isDirty || this.writingSince !== undefined) return;
    this.#isDirty = true;
    if (dirty.push(this) === 1) setImmediate(flushAll);
  }

  flush(): void {
    this.#isDirty = false;
    if (this.writingSince !== undefined || this.writer.length === 0) return;
    const sending = this.writer;
    this.writer = this.#spare;
    this.writingSince = performance.now();
    this.#send(sending).then(() => this.#sent(sending)).catch((cause) => this.#failed(cause));
  }

  /** Resolves once the write under way has ended, and what has been appended since is being written. */
  async written(): Promise<void> {
    this.flush();
    if (this.writingSince === undefined) return;
    await (this.#written ??= Promise.withResolvers()).promise;
  }

  /** Resolves once everything has been written, or the connection is lost. */
  async drained(): Promise<void> {
    while (this.writingSince !== undefined || this.writer.length > 0) await this.written();
  }

  async #send({ bytes, length }: ByteWriter): Promise<void> {
    for (let at = 0; at < length;) {
      at += await this.#stream.write(bytes.subarray(at, length));
      this.writingSince = performance.now();
    }
  }

  #sent(sent: ByteWriter): void {
    this.writingSince = undefined;
    sent.length = 0;
    this.#spare = sent.bytes.length > KEPT_BYTES ? new ByteWriter() : sent;
    this.#onWritten();
    this.flush();
    this.#resolve();
  }

  #failed(cause: unknown): void {
    this.writingSince = undefined;
    this.writer.length = 0;
    this.#onLost(cause);
    this.#resolve();
  }

  #resolve(): void {
    this.#written?.resolve();
    this.#written = undefined;
  }
}
