/** Ports for processes that have to be told theirs. */

const given = new Set<number>();

/**
 * A port that nobody listens on, and none twice. It is below the range from which systems number outgoing connections, so
 * that it stays free while its process is away.
 */
export function freePort(): number {
  for (;;) {
    const port = 20_000 + crypto.getRandomValues(new Uint16Array(1))[0]! % 12_000;
    if (given.has(port)) continue;
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      given.add(port);
      return port;
    } catch { /* taken */ }
  }
}
