/** Load generator: shoppers change their profiles sequentially, and a cart-service looks them up. */
import type { ActorRef } from "../../actors/commands.ts";
import { gatewayHeaders, MESH } from "../production.ts";
import { asked, connect } from "../rpc/client.ts";

export interface LoadOptions {
  customers: readonly ActorRef[];
  http: readonly number[];
  grpc: readonly number[];
  /** Lookups in flight per gRPC port. */
  lookups?: number;
  /** Ends the load like a load balancer: requests in flight complete, no new ones start. */
  signal: AbortSignal;
}

/** Outcome of a request. */
export interface Outcome {
  /** Milliseconds since the epoch. */
  at: number;
  port: number;
  /** "OK", a code, UNREACHED without a response, CUT with an incomplete response. */
  result: string;
}

export interface Command extends Outcome {
  customerId: string;
  /** The customer's version after an accepted command. */
  version: number | undefined;
  /** Whether the response has `Connection: close`. */
  letsGo: boolean;
}

export interface Report {
  /** In order for each customer. */
  commands: Command[];
  lookups: Outcome[];
  /** Resolves when all requests in flight have completed. */
  ended: Promise<void>;
}

/** Starts the load at once. The report grows while it runs. */
export function startLoad(options: LoadOptions): Report {
  const { customers, grpc, lookups = 4 } = options;
  const report: Report = { commands: [], lookups: [], ended: Promise.resolve() };
  const changing = customers.map((customer, at) => change(customer, at, options, report.commands));
  const looking = grpc.map((port) => look(port, lookups, options, report.lookups));
  report.ended = Promise.all([...changing, ...looking]).then(() => {});
  return report;
}

const CHANGE =
  `mutation ($name: String) { updateProfile(input: { firstName: $name }) { customer { version } } }`;

async function change(
  customer: ActorRef,
  from: number,
  { http, signal }: LoadOptions,
  commands: Command[],
): Promise<void> {
  let turn = from;
  for (let number = 1; !signal.aborted; number++) {
    const port = http[turn++ % http.length]!;
    const outcome = await send(port, customer, String(number));
    commands.push({ at: Date.now(), port, customerId: customer.id, ...outcome });
    if (outcome.result !== "OK") await breath();
  }
}

async function send(port: number, customer: ActorRef, name: string) {
  let response: Response | undefined;
  try {
    response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": name, ...gatewayHeaders(customer) },
      body: JSON.stringify({ query: CHANGE, variables: { name } }),
      signal: AbortSignal.timeout(20_000),
    });
    const { data, errors } = await response.json();
    return {
      result: errors ? String(errors[0].extensions.code) : "OK",
      version: data?.updateProfile?.customer?.version as number | undefined,
      letsGo: response.headers.get("connection") === "close",
    };
  } catch {
    return { result: response ? "CUT" : "UNREACHED", version: undefined, letsGo: false };
  }
}

async function look(
  port: number,
  atOnce: number,
  { customers, signal }: LoadOptions,
  outcomes: Outcome[],
): Promise<void> {
  using client = connect(port);
  await Promise.all(Array.from({ length: atOnce }, async (_, from) => {
    for (let at = from; !signal.aborted; at++) {
      const { storeId, id: customerId } = customers[at % customers.length]!;
      const request = asked({ storeId, customerId });
      const { status } = await client.groups(request, { metadata: MESH, withinMs: 8_000 });
      outcomes.push({ at: Date.now(), port, result: status });
      if (status !== "OK") await breath();
    }
  }));
}

/** Pause before a retry. */
function breath(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}
