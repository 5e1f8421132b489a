/** Files of a bulk upsert: what the export gives, and CSV as spreadsheets write it. */
import assert from "node:assert/strict";
import { rememberErasure } from "../gdpr/remembered_erasure.ts";
import { requestSettings } from "../actors/settings.ts";
import { register, tell } from "../actors/world.ts";
import { startRest, type TestRest } from "./server.ts";

type Result = { row: number; result: string; customerId: string; error?: { message: string } };

async function send(rest: TestRest, body: string | Uint8Array, type: string) {
  const reply = await rest.call("POST", "/customers/bulk", {
    as: rest.world.system,
    body,
    headers: { "content-type": type },
  });
  const lines: Result[] = reply.status === 200
    ? reply.text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))
    : [];
  return { ...reply, lines, results: lines.map(({ result }) => result) };
}

const encode = (text: string, bytes: (code: number) => number[]) =>
  new Uint8Array([...text].flatMap((letter) => bytes(letter.charCodeAt(0))));
const utf16le = (text: string) => encode(text, (code) => [code & 255, code >> 8]);
const utf16be = (text: string) => encode(text, (code) => [code >> 8, code & 255]);
const latin1 = (text: string) => encode(text, (code) => [code]);

Deno.test("bulk accepts the file of an export unchanged, and applies what is corrected in it", async () => {
  await using rest = await startRest();
  const { system: as } = rest.world;
  await register(rest.world, {
    firstName: "Ada Maria",
    lastName: null,
    phone: "+41445551234",
    locale: "de-CH",
  });
  const ada = await register(rest.world, { firstName: "Gabriel", lastName: "García Márquez" });
  await tell(rest.world, ada, "account.suspend");
  const gone = await register(rest.world);
  await tell(rest.world, gone, "erase", { requestId: crypto.randomUUID() });
  const { text: file } = await rest.call("GET", "/customers/export", { as });
  const { results } = await send(rest, file, "application/x-ndjson");
  assert.deepEqual(results, ["UNCHANGED", "UNCHANGED", "UNCHANGED"]);
  assert.equal((await rest.call("GET", "/customers/export", { as })).text, file);

  const corrected = file.replaceAll("Gabriel", "Gabo").replaceAll(
    '"status":"SUSPENDED"',
    '"status":"ACTIVE"',
  );
  const again = await send(rest, corrected, "application/x-ndjson");
  assert.deepEqual(again.results.toSorted(), ["UNCHANGED", "UNCHANGED", "UPDATED"]);
  const { body } = await rest.call("GET", `/customers/${ada.id}`, { as });
  assert.deepEqual([body.firstName, body.lastName, body.status], ["Gabo", "García Márquez", "SUSPENDED"]);

  const elsewhere = { ...as, storeId: crypto.randomUUID() };
  const erasedRow = file.split("\n").find((line) => line.includes(gone.id))!;
  const foreign = await rest.call("POST", "/customers/bulk", {
    as: elsewhere,
    body: erasedRow,
    headers: { "content-type": "application/x-ndjson" },
  });
  assert.match(foreign.text, /"REFUSED".*"NOT_FOUND"/);
  const alive = JSON.stringify({ customerId: ada.id, email: null, anonymizedAt: "2026-01-01T00:00:00Z" });
  assert.deepEqual((await send(rest, alive, "application/x-ndjson")).results, ["REFUSED"]);
  const csv =
    `customerId,email,status,version,anonymizedAt\n${gone.id},,CLOSED,9,2026-01-01\n${ada.id},,ACTIVE,1,\n`;
  assert.deepEqual((await send(rest, csv, "text/csv")).results, ["UNCHANGED", "UNCHANGED"]);
});

/** Each file registers jose@example.com as José Ng, and has nothing else. */
const FILES: Record<string, [body: string | Uint8Array, type?: string]> = {
  "semicolons": ["email;firstName;lastName\r\njose@example.com;José;Ng\r\n"],
  "tabs": ["email\tfirstName\tlastName\njose@example.com\tJosé\tNg"],
  "sep=": ["sep=;\r\nemail;firstName;lastName\r\njose@example.com;José;Ng"],
  "sep= with a byte order mark": ["\uFEFFsep=,\r\nemail,firstName,lastName\r\njose@example.com,José,Ng"],
  "rows of empty cells": [
    '\n;;\nemail;firstName;lastName\n;;\njose@example.com;José;Ng\n;;\n;; \n"";"";""\n\t\n',
  ],
  "a padded header": ["email,firstName,lastName,,\njose@example.com,José,Ng,,\n"],
  "padded rows": ["email,firstName,lastName\njose@example.com,José,Ng,,,\n"],
  "a column without a name": [",email,,firstName,lastName\n,jose@example.com,,José,Ng\n"],
  "names of columns in words": ["E-Mail,First Name,LAST_NAME\njose@example.com,José,Ng\n"],
  "quoted names of columns": ['\uFEFF"email";"firstName";"lastName"\n"jose@example.com";"José";"Ng"\n'],
  "semicolons with quoted line ends of the header": [
    '"email";"firstName";" last\nName"\njose@example.com;José;Ng',
  ],
  "commas in cells between semicolons": ['email;firstName;lastName\njose@example.com;"José";"Ng"'],
  "carriage returns": ["email,firstName,lastName\rjose@example.com,José,Ng\r"],
  "a charset": [
    latin1("email;firstName;lastName\njose@example.com;José;Ng"),
    "text/csv; charset=windows-1252",
  ],
  "a quoted charset": [
    latin1("email,firstName,lastName\njose@example.com,José,Ng"),
    'text/csv; Charset="ISO-8859-1"',
  ],
  "a charset with a header parameter": [
    latin1("email,firstName,lastName\njose@example.com,José,Ng"),
    "text/csv;header=present; charset=latin1",
  ],
  "UTF-16": [
    utf16le("email\tfirstName\tlastName\r\njose@example.com\tJosé\tNg"),
    "text/csv; charset=utf-16le",
  ],
  "UTF-16 with a byte order mark": [
    utf16le("\uFEFFemail\tfirstName\tlastName\r\njose@example.com\tJosé\tNg"),
  ],
  "UTF-16 with the other byte order": [
    utf16be("\uFEFFemail,firstName,lastName\njose@example.com,José,Ng"),
    "text/csv; charset=utf-16",
  ],
  "UTF-8 by name": ["email,firstName,lastName\njose@example.com,José,Ng", "text/csv; charset=UTF8"],
  "TRUE as Excel writes it": ["email,firstName,lastName,returning\njose@example.com,José,Ng,TRUE"],
  "JSON with a byte order mark, blank lines and CRLF": [
    '\uFEFF{"email":"jose@example.com","firstName":"José","lastName":"Ng"}\r\n\r\n \r\n',
    "application/x-ndjson; charset=utf-8",
  ],
};

Deno.test("files are accepted as spreadsheets write them, and only rows with values count", async (t) => {
  await using rest = await startRest();
  for (const [what, [body, type = "text/csv"]] of Object.entries(FILES)) {
    await t.step(what, async () => {
      const { text, lines } = await send(rest, body, type);
      assert.deepEqual(lines.map(({ row, result }) => [row, result]), [[1, lines[0]?.result]], text);
      assert.ok(["CREATED", "UNCHANGED"].includes(lines[0]!.result), text);
      const { body: customer } = await rest.call("GET", `/customers/${lines[0]!.customerId}`, {
        as: rest.world.system,
      });
      const { email, firstName, lastName } = customer;
      assert.deepEqual([email, firstName, lastName], ["jose@example.com", "José", "Ng"]);
    });
  }
});

Deno.test("a file that cannot be understood is refused with what is wrong and what is accepted", async () => {
  await using rest = await startRest();
  const cases: [body: string, message: RegExp, type?: string, status?: number][] = [
    [
      "email;Kundennummer\n",
      /column 2 \(Kundennummer\) is not known; .*customerId, name, email, .*version.* are ignored/,
    ],
    ["email,First Name,first_name\n", /columns 2 and 3 both name firstName/],
    ["email,version,Version\n", /columns 2 and 3 both name/],
    ["email|firstName\n", /column 1 is not known/],
    ["numbat@example.com,Numbat\n", /columns? 1, column 2 are not known; its first row must name fields/],
    [",,\n,x,\n", /is not known/],
    ["sep=x\nemail\n", /sep= line must name a comma, a semicolon or a tab/],
    ["email\n", /charset must be one of/, "text/csv; charset=ebcdic", 415],
    ["email\n", /charset must be one of/, "text/csv; charset=", 415],
  ];
  for (const [file, message, type = "text/csv", status = 400] of cases) {
    const reply = await send(rest, `${file}a@example.com,b\n`, type);
    assert.deepEqual([reply.status, reply.body?.code], [status, "INVALID_INPUT"], file);
    assert.match(reply.body.message, message);
    assert.doesNotMatch(reply.text, /numbat/i);
  }
  const unnamed = await send(
    rest,
    "email,,firstName\na@example.com,x,Ada\nb@example.com,,Bo,1\n",
    "text/csv",
  );
  assert.deepEqual(unnamed.results, ["REFUSED", "REFUSED"]);
  assert.match(unnamed.lines[0]!.error!.message, /it has a value in column 2, which has no name/);
  assert.match(unnamed.lines[1]!.error!.message, /it has 4 cells where the header has 3/);
  const broken = await send(rest, new Uint8Array([0xff, 0xfe, 0x65]), "text/csv");
  assert.deepEqual([broken.status, broken.body?.code], [400, "INVALID_INPUT"]);
});

Deno.test("a service registers a single person who was erased, and staff and files do not unless the person returns", async () => {
  const requests = await requestSettings();
  await using rest = await startRest({ requests });
  const ref = await register(rest.world);
  const email = "numbat@example.com";
  await rememberErasure(rest.world.admin, ref, await requests.hashEmail(email));
  const staff = rest.staff(["CUSTOMER_MANAGER"]);
  const post = (as: typeof staff, body: unknown) => rest.call("POST", "/customers", { as, body });
  assert.equal((await post(staff, { email })).status, 409);
  assert.equal((await post(rest.world.system, { email, returning: false })).status, 409);
  assert.deepEqual((await send(rest, JSON.stringify({ email }), "application/x-ndjson")).results, [
    "REFUSED",
  ]);
  assert.equal((await post(rest.world.system, { email })).status, 201);
  const other = await post(rest.world.system, { email: "new@example.com" });
  const returned = await rest.world.admin`
    select key from outbox where topic = 'audit.event' and payload ->> 'action' = 'CUSTOMER_RETURNED'`;
  assert.equal(returned.length, 1);
  assert.notEqual(returned[0]!.key, other.body.customerId);
});
