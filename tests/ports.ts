/** Free ports for processes that need a fixed one. */

const used = new Set<number>();

/**
 * Returns a free port, a different one each time. It is below the range of ephemeral ports, so it stays free while its
 * process is down.
 */
export function freePort(): number {
  for (;;) {
    const port = 20_000 + crypto.getRandomValues(new Uint16Array(1))[0]! % 12_000;
    if (used.has(port)) continue;
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      used.add(port);
      return port;
    } catch { /* taken */ }
  }
}
