/**
 * Staff tool: sets the language of the customer with an email. Arguments: EMAIL LOCALE.
 * Environment: REST_URL, STAFF_TOKEN (role CUSTOMER_MANAGER or STORE_MANAGER in the store).
 */
import process from "node:process";

/** Sends a request and repeats it when the service asks for that: 429 and 503 with Retry-After. */
async function send(path: string, init: RequestInit): Promise<Response> {
  const headers = {
    "content-type": "application/json",
    authorization: `Bearer ${process.env.STAFF_TOKEN}`,
    ...init.headers,
  };
  for (let attempt = 1;; attempt++) {
    const signal = AbortSignal.timeout(10_000);
    const response = await fetch(new URL(path, process.env.REST_URL), { ...init, headers, signal });
    if (![429, 503].includes(response.status) || attempt === 4) return response;
    await response.body?.cancel();
    const seconds = Number(response.headers.get("retry-after") ?? 1);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  }
}

interface Customer {
  customerId: string;
  version: number;
  locale?: string;
}

async function readOk<T>(response: Response): Promise<T> {
  if (response.ok) return await response.json();
  const { code, message } = await response.json();
  throw new Error(`${response.status} ${code}: ${message}`);
}

const [email = "", locale = ""] = process.argv.slice(2);
const { items: [found] } = await readOk<{ items: Customer[] }>(
  // By POST, since URLs are logged and an email is personal data.
  await send("/customers/search", { method: "POST", body: JSON.stringify({ email }) }),
);
if (!found) throw new Error("No customer of this store has the email");

const path = `/customers/${found.customerId}`;
const read = await send(path, { method: "GET" });
const etag = read.headers.get("etag")!;
await read.body?.cancel();
const changed = await send(path, {
  method: "PATCH",
  // 412 CONFLICT when somebody else has changed the customer since the GET: read again, decide again.
  headers: { "if-match": etag, "idempotency-key": crypto.randomUUID() },
  body: JSON.stringify({ locale }),
});
const customer = await readOk<Customer>(changed);
console.log(`locale ${customer.locale}, version ${changed.headers.get("etag")}`);
