// deno-lint-ignore-file no-console
/** Staff tool: registers and changes the customers of a file of JSON lines. Argument: FILE. Role: CUSTOMER_MANAGER. */
import { createHash } from "node:crypto";
import { openAsBlob } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { refuse } from "./rest.ts";

interface Line {
  row: number;
  result: "CREATED" | "UPDATED" | "UNCHANGED" | "REFUSED";
  /** Alone in the last line: the answer has ended early. */
  error?: { code: string; message: string };
}

const file = await openAsBlob(process.argv[2] ?? "");
// The same file has the same key: after a failure send it again, and each row is applied once.
const key = createHash("sha256").update(await file.bytes()).digest("hex");
const response = await fetch(new URL("/customers/bulk", process.env.REST_URL), {
  method: "POST",
  headers: {
    authorization: `Bearer ${process.env.STAFF_TOKEN}`,
    "content-type": "application/x-ndjson",
    "idempotency-key": key,
  },
  body: file,
});
if (!response.ok) await refuse(response);

const counts: Record<string, number> = {};
// One line for each row, while the file is still being sent.
for await (const text of createInterface({ input: Readable.from(response.body!) })) {
  const { row, result, error }: Line = JSON.parse(text);
  if (row === undefined || error?.code === "UNAVAILABLE") {
    throw new Error(`Send the file again: the answer ended early, ${error?.code}`);
  }
  if (error) console.log(`row ${row}: ${error.code}: ${error.message}`);
  counts[result] = (counts[result] ?? 0) + 1;
}
console.log(Object.entries(counts).sort().map(([result, count]) => `${count} ${result}`).join(", "));
