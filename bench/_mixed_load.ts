/** Mixed load: shoppers read and change their profile, staff read it, carts look up groups. */
import { gatewayHeaders, MESH } from "../tests/production.ts";
import { asked, connect } from "../tests/rpc/client.ts";
import type { CustomerId } from "./_database.ts";

export interface Load {
  customers: readonly CustomerId[];
  http: number;
  /** Undefined if the server has no gRPC; then all requests use HTTP. */
  grpc: number | undefined;
  /** Requests in flight. */
  inFlight: number;
  seconds: number;
}

export interface LoadCounts {
  answered: number;
  failed: number;
}

const READ = `{ me { email firstName addresses { city } shopperGroups { name priority } } }`;
const CHANGE =
  `mutation ($name: String) { updateProfile(input: { firstName: $name }) { customer { version } } }`;

/** Closed loop. Of ten requests one is a change, two are reads, one is a REST read and six are lookups. */
export async function drive({ customers, http, grpc, inFlight, seconds }: Load): Promise<LoadCounts> {
  const driven: LoadCounts = { answered: 0, failed: 0 };
  const until = performance.now() + seconds * 1_000;
  using client = grpc === undefined ? undefined : connect(grpc);
  const ask = async (turn: number) => {
    const { customerId, storeId } = customers[Math.floor(Math.random() * customers.length)]!;
    if (client && turn % 10 > 3) {
      return (await client.groups(asked({ customerId, storeId }), { metadata: MESH })).status === "OK";
    }
    if (turn % 10 === 3) {
      const url = `http://127.0.0.1:${http}/customers/${customerId}`;
      const response = await fetch(url, { headers: staff(storeId) });
      await response.body?.cancel();
      return response.ok;
    }
    const [query, name] = turn % 10 === 0 ? [CHANGE, `Ada ${turn}`] : [READ, undefined];
    const response = await fetch(`http://127.0.0.1:${http}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", ...gatewayHeaders({ id: customerId, storeId }) },
      body: JSON.stringify({ query, variables: { name } }),
    });
    return !("errors" in await response.json());
  };
  await Promise.all(Array.from({ length: inFlight }, async (_, at) => {
    for (let turn = at; performance.now() < until; turn++) {
      const answered = await ask(turn).catch(() => false);
      driven[answered ? "answered" : "failed"]++;
    }
  }));
  return driven;
}

function staff(storeId: string): Record<string, string> {
  const id = "00000000-0000-4000-8000-00000000000a";
  return {
    ...gatewayHeaders({ id, storeId }),
    "x-principal-type": "STAFF",
    "x-roles": `CUSTOMER_SUPPORT@${storeId}`,
  };
}
