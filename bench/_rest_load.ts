/** Load generator process of `bench rest`: reads a job as JSON from its first argument, prints one line of JSON. */
import { type LoadResult, Timings } from "./_timings.ts";

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

export type RestLoadResult = LoadResult;

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
  const timings = new Timings({ warmUp, seconds });
  const worker = async () => {
    while (performance.now() < timings.until) {
      const begun = performance.now();
      const response = await ask();
      await response.arrayBuffer();
      timings.add(begun, response.ok);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return timings.result();
}

// deno-lint-ignore no-console -- the parent reads the result
console.log(JSON.stringify(await run(JSON.parse(Deno.args[0] ?? ""))));
