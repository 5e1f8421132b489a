/** Live updates: sends open pages a digest of the current data as server-sent events, so that outdated pages reload. */
import { type SSEStreamingApi, streamSSE } from "@hono/hono/streaming";
import { DomainError } from "../domain/errors.ts";
import type { InspectContext } from "./session.ts";
import { sha256 } from "../lib/hash.ts";
import { succeedsWithin } from "../lib/timeout.ts";

/** Reads a string that changes whenever the content of a page changes. */
export type Fingerprint = () => Promise<string>;

/** Hash of a fingerprint, which a page may contain because it reveals no data: 22 base64url characters. */
export function digest(fingerprint: string): string {
  return sha256(fingerprint).toBase64({ alphabet: "base64url" }).slice(0, 22);
}

export interface Live {
  /** Signals a possible change: a commit of this process or, by notification, of another one. */
  wake(): void;
  /**
   * Responds with an event stream of the fingerprint's digest: immediately, since the page may already be outdated, and
   * after each possible change.
   *
   * @throws {DomainError} RATE_LIMITED: too many open streams
   */
  follow(c: InspectContext, fingerprint: Fingerprint): Response;
  /** Ends all open streams. */
  close(): void;
}

/** Open streams of one process. More would slow down ordinary page loads. */
const MAX_PAGES = 100;
/** Open streams of one person, so that one person cannot use up the limit of the process. */
const MAX_PAGES_PER_PERSON = 20;
/** Minimum interval between two events of a stream, in milliseconds. */
const PAUSE_MS = 500;
/** Polling interval in milliseconds: notifications can be lost, due dates pass, and proxies close silent connections. */
const POLL_MS = 10_000;

export interface LiveLimits {
  /** Maximum time that a client stops reading before its stream is aborted, in milliseconds. */
  stallMs?: number;
  /** Maximum duration of a stream, in milliseconds. Browsers reconnect by themselves; idle connections end. */
  maxDurationMs?: number;
}

export function createLive({ stallMs = 30_000, maxDurationMs = 10 * 60_000 }: LiveLimits = {}): Live {
  /** Wake functions of the open streams, each with the ID of its person. */
  const followers = new Map<() => void, string>();
  const ending = new AbortController();

  function follow(c: InspectContext, fingerprint: Fingerprint): Response {
    const { id } = c.var.by;
    const mine = [...followers.values()].filter((other) => other === id).length;
    if (followers.size >= MAX_PAGES || mine >= MAX_PAGES_PER_PERSON) {
      const limit = mine >= MAX_PAGES_PER_PERSON ? MAX_PAGES_PER_PERSON : MAX_PAGES;
      throw new DomainError(
        "RATE_LIMITED",
        `Cannot open more than ${limit} live pages at once: reload the page to update it`,
      );
    }
    let woken = Promise.withResolvers<void>();
    const wake = () => woken.resolve();
    followers.set(wake, id);
    const endsAt = performance.now() + maxDurationMs;
    const isOpen = (stream: SSEStreamingApi) =>
      !stream.aborted && !ending.signal.aborted && performance.now() < endsAt;
    return streamSSE(c, async (stream) => {
      stream.onAbort(wake);
      ending.signal.addEventListener("abort", wake, { once: true });
      try {
        while (isOpen(stream)) {
          // A change after this line may be missing in the fingerprint, so it must wake the loop again.
          woken = Promise.withResolvers();
          // While the database is unavailable, only a comment keeps the connection alive.
          const now = await fingerprint().catch(() => undefined);
          const writing = now === undefined
            ? stream.write(": still here\n\n")
            : stream.writeSSE({ event: "now", data: digest(now) });
          if (!await succeedsWithin(writing, stallMs)) {
            stream.abort();
            break;
          }
          const poll = setTimeout(wake, Math.min(POLL_MS, Math.max(0, endsAt - performance.now())));
          await woken.promise;
          clearTimeout(poll);
          if (isOpen(stream)) await stream.sleep(PAUSE_MS);
        }
      } finally {
        followers.delete(wake);
        ending.signal.removeEventListener("abort", wake);
      }
    });
  }

  return { wake: () => followers.keys().forEach((wake) => wake()), follow, close: () => ending.abort() };
}
