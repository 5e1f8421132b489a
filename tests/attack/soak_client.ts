/**
 * Process that calls GetCustomerGroups: `soak_client.ts {"port", "calls", "width", …}`. Prints `{"answered", "failed"}`
 * every second and at the end, and exits when all calls have completed.
 */
import { type Connection, connectTo } from "./calls.ts";
import { GROUPS, grpcFields } from "./attacks/requests.ts";
import { groupsRequest, type Visit } from "./innocent.ts";

export interface SoakOrder {
  visit: Pick<Visit, "grpcPort" | "serviceToken" | "customerId" | "storeId">;
  calls: number;
  /** Calls in flight, on one connection. */
  width: number;
}

export interface Progress {
  answered: number;
  failed: number;
  /** Reason of the first failure. */
  reason?: string;
}

const { visit, calls, width } = JSON.parse(Deno.args[0] ?? "") as SoakOrder;
const fields = grpcFields(GROUPS, [["authorization", `Bearer ${visit.serviceToken}`]]);
const message = groupsRequest(visit);
const progress: Progress = { answered: 0, failed: 0 };
// deno-lint-ignore no-console -- what a process prints is its result
const print = () => console.log(JSON.stringify(progress));

let begun = 0;
let connection = connectTo(visit.grpcPort);

/** The shared connection; a new one after a GOAWAY, which the server sends when a connection reaches its maximum age. */
async function current(): Promise<Connection> {
  const shared = connection;
  const opened = await shared.catch(() => undefined);
  if (opened?.usable) return opened;
  if (connection === shared) connection = connectTo(visit.grpcPort);
  return await connection;
}

async function caller(): Promise<void> {
  while (begun++ < calls) {
    try {
      await (await current()).call(fields, message);
      progress.answered++;
    } catch (error) {
      progress.failed++;
      progress.reason ??= String(error);
    }
  }
}

const timer = setInterval(print, 1_000);
await Promise.all(Array.from({ length: width }, caller));
clearInterval(timer);
print();
Deno.exit(0);
