/** Reads the event stream of a live page, and the digest that the page itself contains. */
import assert from "node:assert/strict";

export interface LiveStream extends AsyncDisposable {
  /** Received digests, oldest first. */
  received(): string[];
}

export function readLive(response: Response): LiveStream {
  assert.equal(response.status, 200);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const reading = (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
    }
  })();
  return {
    received: () => [...text.matchAll(/^event: now\ndata: (.+)\n$/gm)].map(([, data = ""]) => data),
    async [Symbol.asyncDispose]() {
      await reader.cancel();
      await reading;
    },
  };
}

/** Digest of the contents that a page shows. */
export function shownOn(page: string): string {
  const [, shown] = /data-shown="([^"]+)"/.exec(page) ?? [];
  assert.ok(shown);
  return shown;
}
