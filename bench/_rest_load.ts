/** Load generator process of `bench rest`: reads a job as JSON from its first argument, prints one line of JSON. */

export interface RestJob {
  port: number;
  method: "GET" | "POST";
  /** Path of a file with a customer ID on each line. */
  ids: string;
  inFlight: number;
  seconds: number;
  /** Seconds before the measurement. */
  warmUp: number;
}

export interface RestLoadResult {
  callsPerSecond: number;
  failed: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

async function run({ port, method, ids, inFlight, seconds, warmUp }: RestJob): Promise<RestLoadResult> {
  const customers = (await Deno.readTextFile(ids)).trim().split("\n");
  const origin = `http://127.0.0.1:${port}/customers`;
  const ask = () => {
    if (method === "GET") {
      return fetch(`${origin}/${customers[Math.floor(Math.random() * customers.length)]}`);
    }
    const body = JSON.stringify({
      email: `${crypto.randomUUID()}@example.test`,
      name: "Ada King Lovelace",
      phone: "+41445551234",
      locale: "de-CH",
    });
    return fetch(origin, { method, body, headers: { "content-type": "application/json" } });
  };
  const latencies: number[] = [];
  let failed = 0;
  const from = performance.now() + warmUp * 1_000;
  const until = from + seconds * 1_000;
  const worker = async () => {
    while (performance.now() < until) {
      const begun = performance.now();
      const response = await ask();
      await response.arrayBuffer();
      const ended = performance.now();
      if (ended < from || ended >= until) continue;
      if (response.ok) latencies.push(ended - begun);
      else failed++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? NaN;
  return { callsPerSecond: latencies.length / seconds, failed, p50: at(0.5), p99: at(0.99) };
}

// deno-lint-ignore no-console -- the parent reads the result
console.log(JSON.stringify(await run(JSON.parse(Deno.args[0] ?? ""))));
