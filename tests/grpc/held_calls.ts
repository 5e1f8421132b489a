/** Calls whose handlers run until the test releases them, and count. */
import type { Call, Method } from "../../grpc/mod.ts";
import { Changes } from "./changes.ts";

export class HeldCalls {
  readonly changes = new Changes();
  /** Handlers that have begun. */
  begun = 0;
  /** Handlers that run now, and the most that ran at a time. */
  running = 0;
  most = 0;
  /** Handlers whose signal has aborted. */
  aborted = 0;
  #release = Promise.withResolvers<void>();

  /** @param known whether the handler authenticates the caller; `stopsEarly`: whether it ends when its signal aborts */
  constructor(private readonly options: { known?: boolean; stopsEarly?: boolean } = {}) {}

  readonly unary: Method = {
    kind: "unary",
    handle: async (request, call) => {
      await this.#hold(call);
      return request;
    },
  };

  /** Sends one message at once, and the end after the release. */
  readonly stream: Method = {
    kind: "stream",
    handle: (_requests, call) => this.#sendOne(call),
  };

  /** Ends the handlers that run, and those that begin later at once. */
  release(): void {
    this.#release.resolve();
  }

  async *#sendOne(call: Call): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(1);
    await this.#hold(call);
  }

  async #hold(call: Call): Promise<void> {
    if (this.options.known) call.authenticated();
    this.begun++;
    this.most = Math.max(this.most, ++this.running);
    const aborted = Promise.withResolvers<void>();
    call.signal.addEventListener("abort", () => {
      this.aborted++;
      this.changes.notify();
      if (this.options.stopsEarly) aborted.resolve();
    });
    this.changes.notify();
    await Promise.race([this.#release.promise, aborted.promise]);
    this.running--;
    this.changes.notify();
  }
}
