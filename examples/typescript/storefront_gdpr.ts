// deno-lint-ignore-file no-console
/** Storefront: a shopper uses a right of the GDPR. Argument: access, portability, erasure or list. */
import process from "node:process";
import { ask, Refused } from "./graphql.ts";

interface Request {
  id: string;
  type: string;
  status: string;
  outcome: string | null;
  dueAt: string;
  participants: { service: string; state: string }[];
  export: { url: string } | null;
}

const FIELDS = "id type status outcome dueAt participants { service state } export { url }";
const MUTATIONS: Record<string, string> = {
  access: "requestAccess",
  portability: "requestPortability",
  erasure: "requestErasure",
};

/** Opens a request, or returns the one that is open already. */
async function open(mutation: string): Promise<Request> {
  const data = await ask<Record<string, { request: Request }>>(
    `mutation { ${mutation} { request { ${FIELDS} } } }`,
  );
  return data[mutation]!.request;
}

/** The shopper's newest requests, also after an erasure, when `me` is gone. */
async function list(): Promise<Request[]> {
  const query = `{ gdprRequests { nodes { ${FIELDS} } } }`;
  return (await ask<{ gdprRequests: { nodes: Request[] } }>(query)).gdprRequests.nodes;
}

const [action = "list"] = process.argv.slice(2);
const mutation = MUTATIONS[action];
try {
  for (const request of mutation ? [await open(mutation)] : await list()) {
    console.log(`${request.type} ${request.outcome ?? request.status}, due on ${request.dueAt.slice(0, 10)}`);
    for (const { service, state } of request.participants) console.log(`  ${service} ${state}`);
    // The path of a page of customer-service. It takes the shopper's token and gives each document once.
    if (request.export) console.log(`  documents ${request.export.url}`);
  }
} catch (error) {
  if (!(error instanceof Refused && error.code === "REFUSED_IN_STATE")) throw error;
  console.log(error.message); // such as: the shopper has been erased
  process.exitCode = 2;
}
