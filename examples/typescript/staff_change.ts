// deno-lint-ignore-file no-console
/** Staff tool: sets the locale of the customer with an email. Arguments: EMAIL LOCALE. Role: CUSTOMER_MANAGER. */
import process from "node:process";
import { call, Refused } from "./rest.ts";

interface Customer {
  customerId: string;
  locale: string | null;
  status: string;
}

/** By POST, since URLs are logged and an email is personal data. */
async function findCustomer(email: string): Promise<string> {
  const { body } = await call<{ items: Customer[] }>("/customers/search", {
    method: "POST",
    body: { email },
  });
  const [found] = body.items;
  if (!found) throw new Error("No customer of this store has the email");
  return found.customerId;
}

/** Changes the customer as this member of staff has seen it. */
async function changeLocale(customerId: string, locale: string) {
  const path = `/customers/${customerId}`;
  const seen = await call<Customer>(path);
  return await call<Customer>(path, {
    method: "PATCH",
    headers: { "if-match": seen.etag },
    body: { locale },
  });
}

const [email = "", locale = ""] = process.argv.slice(2);
try {
  const { body, etag } = await changeLocale(await findCustomer(email), locale);
  console.log(`locale ${body.locale}, status ${body.status}, version ${etag}`);
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  // 412 CONFLICT: the customer was changed after the GET. Show the new values and let the person decide again.
  console.log(error.message);
  process.exitCode = 2;
}
