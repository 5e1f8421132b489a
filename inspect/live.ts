/** Tells open pages what there is now, so that they see when they are out of date: server-sent events. */
import { type SSEStreamingApi, streamSSE } from "@hono/hono/streaming";
import { DomainError } from "../domain/errors.ts";
import type { InspectContext } from "./session.ts";
import { sha256 } from "../lib/hash.ts";
import { succeedsWithin } from "../lib/timeout.ts";

/** What a page can show, as a text that changes with it. */
export type Fingerprint = () => Promise<string>;

/** What a page carries of the fingerprint of what it shows: short, and nothing can be read from it. */
export function digest(fingerprint: string): string {
  return sha256(fingerprint).toBase64({ alphabet: "base64url" }).slice(0, 22);
}

export interface Live {
  /** Something may have changed: committed by this process or, by notification, another one. */
  wake(): void;
  /**
   * An answer that stays open and tells the digest of the fingerprint: at once, since a page is older than its answer
   * here, and whenever there may be another one.
   */
  follow(c: InspectContext, fingerprint: Fingerprint): Response;
  /** Ends every answer that is open. */
  close(): void;
}

/** Pages of one process. More would hold up those who work with them. */
const MOST = 100;
/** Of one person, who leaves some to the others. */
const MOST_OF_ONE = 20;
/** However much happens, a page is not told more often; in milliseconds. */
const PAUSE_MS = 500;
/** When nothing wakes us: a notification may have been lost, due dates pass, and proxies cut what is silent. */
const POLL_MS = 10_000;

export interface LiveClocks {
  /** How long a page may take nothing of what is sent to it, in milliseconds. */
  stallMs?: number;
  /** How long an answer lasts, in milliseconds. Browsers connect again by themselves; what only holds a place does not. */
  lastsMs?: number;
}

export function createLive({ stallMs = 30_000, lastsMs = 10 * 60_000 }: LiveClocks = {}): Live {
  /** By what wakes each, whose page it is. */
  const followers = new Map<() => void, string>();
  const ending = new AbortController();

  function follow(c: InspectContext, fingerprint: Fingerprint): Response {
    const { id } = c.var.by;
    const mine = [...followers.values()].filter((other) => other === id).length;
    if (followers.size >= MOST || mine >= MOST_OF_ONE) {
      const most = mine >= MOST_OF_ONE ? MOST_OF_ONE : MOST;
      throw new DomainError("RATE_LIMITED", `Cannot follow more than ${most} pages at once: reload by hand`);
    }
    let woken = Promise.withResolvers<void>();
    const wake = () => woken.resolve();
    followers.set(wake, id);
    const endsAt = performance.now() + lastsMs;
    const goesOn = (stream: SSEStreamingApi) =>
      !stream.aborted && !ending.signal.aborted && performance.now() < endsAt;
    return streamSSE(c, async (stream) => {
      stream.onAbort(wake);
      ending.signal.addEventListener("abort", wake, { once: true });
      try {
        while (goesOn(stream)) {
          // What happens from here on may be missing in the fingerprint, and has to wake us again.
          woken = Promise.withResolvers();
          // While the database is away there is nothing to tell.
          const now = await fingerprint().catch(() => undefined);
          const written = now === undefined
            ? stream.write(": still here\n\n")
            : stream.writeSSE({ event: "now", data: digest(now) });
          if (!await succeedsWithin(written, stallMs)) {
            stream.abort();
            break;
          }
          const poll = setTimeout(wake, Math.min(POLL_MS, Math.max(0, endsAt - performance.now())));
          await woken.promise;
          clearTimeout(poll);
          if (goesOn(stream)) await stream.sleep(PAUSE_MS);
        }
      } finally {
        followers.delete(wake);
        ending.signal.removeEventListener("abort", wake);
      }
    });
  }

  return { wake: () => followers.keys().forEach((wake) => wake()), follow, close: () => ending.abort() };
}
