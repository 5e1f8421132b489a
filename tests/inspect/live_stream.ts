/** What an open page is told, and what it carries to compare that with. */
import assert from "node:assert/strict";

export interface LiveStream extends AsyncDisposable {
  /** Of all that has been told, the oldest first. */
  told(): string[];
}

export function readLive(response: Response): LiveStream {
  assert.equal(response.status, 200);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let heard = "";
  const reading = (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard += value;
    }
  })();
  return {
    told: () => [...heard.matchAll(/^event: now\ndata: (.+)\n$/gm)].map(([, data = ""]) => data),
    async [Symbol.asyncDispose]() {
      await reader.cancel();
      await reading;
    },
  };
}

/** What a page says that it shows. */
export function shownOn(page: string): string {
  const [, shown] = /data-shown="([^"]+)"/.exec(page) ?? [];
  assert.ok(shown);
  return shown;
}
