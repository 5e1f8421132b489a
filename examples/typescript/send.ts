/** HTTP requests that are repeated while the service is busy or cannot be reached. */

export interface SendOptions {
  /** Time for each attempt, in milliseconds. */
  timeoutMs: number;
  /** The longest pause before another attempt, in milliseconds; a `Retry-After` beyond it ends the attempts. */
  patienceMs: number;
}

const ATTEMPTS = 4;

/**
 * Sends a request until it is answered by anything but 429 or 503, four times at most. A change needs an
 * `Idempotency-Key`: an attempt whose answer was lost may have been carried out.
 */
export async function send(url: URL, init: RequestInit, options: SendOptions): Promise<Response> {
  for (let attempt = 1;; attempt++) {
    const last = attempt === ATTEMPTS;
    const signal = AbortSignal.timeout(options.timeoutMs);
    const response = await fetch(url, { ...init, signal }).catch((error: Error) => {
      if (last) throw error;
      return undefined;
    });
    if (response && ![429, 503].includes(response.status)) return response;
    const seconds = response?.headers.get("retry-after");
    const pauseMs = seconds ? Number(seconds) * 1_000 : 100 * 2 ** attempt * (1 + Math.random());
    if (response && (last || pauseMs > options.patienceMs)) return response;
    await response?.body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
