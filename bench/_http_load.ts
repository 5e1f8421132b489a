/**
 * Load generator process for HTTP/1.1: POSTs one body on keep-alive connections, each with the next of some tokens, in a
 * closed loop. Reads a job as JSON from its first argument and prints the results as one line of JSON.
 */
import { type LoadResult, Timings } from "./_timings.ts";

export interface HttpJob {
  port: number;
  path: string;
  body: string;
  /** A file with a bearer token on each line. */
  tokens: string;
  /** Text that every answer contains. */
  expected: string;
  connections: number;
  seconds: number;
  warmUp: number;
}

export interface HttpLoadResult extends LoadResult {
  /** Connections that the server closed. */
  closed: number;
}

const encoder = new TextEncoder();
/** One character per byte. */
const decoder = new TextDecoder("latin1");

async function run(job: HttpJob): Promise<HttpLoadResult> {
  const tokens = (await Deno.readTextFile(job.tokens)).trim().split("\n");
  const requests = tokens.map((token) =>
    encoder.encode(
      `POST ${job.path} HTTP/1.1\r\nhost: 127.0.0.1:${job.port}\r\ncontent-type: application/json\r\n` +
        `content-length: ${
          encoder.encode(job.body).length
        }\r\nauthorization: Bearer ${token}\r\n\r\n${job.body}`,
    )
  );
  const timings = new Timings(job);
  let [turn, closed] = [0, 0];
  await Promise.all(Array.from({ length: job.connections }, async () => {
    while (performance.now() < timings.until) {
      using socket = await Deno.connect({ hostname: "127.0.0.1", port: job.port });
      socket.setNoDelay(true);
      for (let isOpen = true; isOpen && performance.now() < timings.until;) {
        const sent = performance.now();
        const answer = await ask(socket, requests[turn++ % requests.length]!);
        timings.add(sent, answer.startsWith("HTTP/1.1 200") && answer.includes(job.expected));
        isOpen = answer !== "" && !/^connection: close\r$/im.test(answer);
        if (!isOpen) closed++;
      }
    }
  }));
  return { ...timings.result(), closed };
}

const buffer = () => new Uint8Array(65_536);

/** Sends a request and returns the complete response; "" if the server closes the connection before. */
async function ask(socket: Deno.TcpConn, request: Uint8Array): Promise<string> {
  const bytes = buffers.get(socket) ?? buffer();
  buffers.set(socket, bytes);
  for (let sent = 0; sent < request.length;) sent += await socket.write(request.subarray(sent));
  let text = "";
  while (!isComplete(text)) {
    const read = await socket.read(bytes).catch(() => null);
    if (read === null) return "";
    text += decoder.decode(bytes.subarray(0, read));
  }
  return text;
}

const buffers = new WeakMap<Deno.TcpConn, Uint8Array<ArrayBuffer>>();

function isComplete(text: string): boolean {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return false;
  const length = text.slice(0, head).match(/\r\ncontent-length: (\d+)/i)?.[1];
  return length === undefined ? text.endsWith("\r\n0\r\n\r\n") : text.length >= head + 4 + Number(length);
}

if (import.meta.main) {
  const job = JSON.parse(Deno.args[0] ?? "") as HttpJob;
  await Deno.stdout.write(encoder.encode(JSON.stringify(await run(job)) + "\n"));
  Deno.exit();
}
