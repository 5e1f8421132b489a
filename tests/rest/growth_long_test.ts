/** Linear parsing time of all input over REST: headers, URLs, JSON bodies and bulk rows. */
import assert from "node:assert/strict";
import { readRows, type RowFormat } from "../../rest/customers/bulk_rows.ts";
import { BODY_LIMIT } from "../../rest/limits.ts";
import { LINE_LIMIT } from "../../rest/line_splitter.ts";
import { register } from "../actors/world.ts";
import { assertLinear, filled } from "../growth.ts";
import { startRest, type TestRest } from "./server.ts";

/** Characters of the smaller header; the larger one has the maximum length that Deno accepts. */
const HEADER = 8 * 1_024;
/** Characters of the smaller URL; the larger one is longer than Deno accepts, so that growth is measurable. */
const URL_SIZE = 32 * 1_024;
const BODY = Math.floor(BODY_LIMIT / 8) - 64;

/** Separators, quotes and escapes of headers. */
const UNITS = [
  ",",
  "a,",
  " ",
  ";",
  ";q=",
  `"`,
  `"1",`,
  "W/",
  "=",
  "a=b;",
  ".",
  "a.",
  "%41",
  "\\",
  "-0",
  ":",
  "0:",
  "*",
];

/** Changes nothing at its repetition. */
const CHANGE = '{"firstName":"Ada"}';

/** Each header that the service reads, with a request for which it is read. */
const HEADERS: Record<string, (fixture: Fixture) => [path: string, init: RequestInit]> = {
  "authorization": ({ customer }) => [customer, {}],
  "x-forwarded-for": ({ customer }) => [customer, {}],
  "traceparent": ({ customer, as }) => [customer, as({})],
  "if-none-match": ({ customer, as }) => [customer, as({})],
  "if-match": ({ customer, as }) => [customer, as({ method: "PATCH", body: CHANGE })],
  "idempotency-key": ({ customer, as }) => [customer, as({ method: "PATCH", body: CHANGE })],
  "content-encoding": ({ customer, as }) => [customer, as({ method: "PATCH", body: CHANGE })],
  "content-type": ({ as }) => ["/customers/bulk", as({ method: "POST", body: "{}" })],
  "accept": ({ as, exported }) => [exported, as({})],
  "accept-encoding": ({ as, exported }) => [exported, as({})],
  "accept-language": ({ customer, as }) => [customer, as({})],
  "cookie": ({ customer, as }) => [customer, as({})],
  "origin": ({ customer, as }) => [customer, as({})],
};

interface Fixture extends AsyncDisposable {
  rest: TestRest;
  /** Path of a customer. */
  customer: string;
  exported: string;
  /** Adds the token of staff with all roles. */
  as(init: RequestInit): RequestInit;
}

async function startFixture(): Promise<Fixture> {
  const rest = await startRest({ limits: { perAddress: () => Promise.resolve(undefined), proxies: 2 } });
  const { id } = await register(rest.world);
  const staff = rest.staff(["CUSTOMER_MANAGER", "CUSTOMER_SUPPORT", "PRIVACY_OFFICER", "STORE_MANAGER"]);
  const authorization = await rest.authorization(staff);
  return {
    rest,
    customer: `/customers/${id}`,
    exported: `/exports/${"a".repeat(43)}`,
    as: (init) => ({
      ...init,
      headers: { authorization, "content-type": "application/json", ...init.headers },
    }),
    [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose](),
  };
}

/** Sends a request and reads the response. */
async function request({ rest }: Fixture, path: string, init: RequestInit): Promise<Response> {
  const response = await rest.app.request(path, init);
  await response.arrayBuffer();
  return response;
}

Deno.test("the parsing time of headers is linear", async () => {
  await using fixture = await startFixture();
  for (const [name, requestOf] of Object.entries(HEADERS)) {
    for (const unit of UNITS) {
      await assertLinear(`${name} of ${unit}`, HEADER, (size) => {
        const [path, init] = requestOf(fixture);
        const before = name === "authorization" ? "Bearer a" : "a";
        const headers = {
          ...init.headers as Record<string, string>,
          [name]: `${before}${filled(unit, size)}a`,
        };
        return () => request(fixture, path, { ...init, headers });
      });
    }
  }
});

/** Queries and paths that could be read again for each of their parts. */
const URLS: [before: string, unit: string][] = [
  ["/customers?", "&"],
  ["/customers?%", "&"],
  ["/customers?", "&a"],
  ["/customers?%", "&a"],
  ["/customers?", "&limit=1"],
  ["/customers?%", "&limit"],
  ["/customers?cursor=", "a"],
  ["/customers?email=", "%41"],
  ["/customers?namePrefix=", "a%20"],
  ["/customers?namePrefix=", "%"],
  ["/customers?namePrefix=", "+"],
  ["/customers/", "a"],
  ["/customers/", "%41"],
  ["/customers/", "%"],
  ["/customers", "/"],
  ["/customers", "/a"],
  ["/customers/a/addresses", "/.."],
  ["/exports/", "a"],
  ["/exports/", "."],
];

Deno.test("the parsing time of URLs is linear", async () => {
  await using fixture = await startFixture();
  for (const [before, unit] of URLS) {
    await assertLinear(`${before}${unit}`, URL_SIZE, (size) => {
      const path = `${before}${filled(unit, size)}`;
      return () => request(fixture, path, fixture.as({}));
    });
  }
});

const text = (field: string, unit: string): Shape => [`"${field}" of ${unit}`, `{"${field}":"`, unit, `"}`];
type Shape = [what: string, before: string, unit: string, after: string];

const BODIES: Shape[] = [
  ...["x", " ", "\\u0041", "\\\\", "é", "👩‍👩‍👧", "\\ud800", "\\u0000", "a ", "\\t"].map((unit) =>
    text("firstName", unit)
  ),
  ...["x", "a@", "a.", "@", "a@a.", "-", "'", "+"].map((unit) => text("email", unit)),
  ...["1", "+", "+1", " "].map((unit) => text("phone", unit)),
  ...["a", "-", "a-", "en-", "-x", "-u-aa", "-a-bb"].map((unit) => text("locale", unit)),
  ...["a ", " ", "\\u00a0"].map((unit) => text("name", unit)),
  text("customerId", "0"),
  text("customerId", "0-"),
  ["many unknown fields", `{"a0":1`, `,"a$":1`, "}"],
  ["many unknown fields that cannot be names", `{"é0":1`, `,"é$":1`, "}"],
  ["one field many times", `{"email":1`, `,"email":1`, "}"],
  ["__proto__ many times", `{"__proto__":1`, `,"__proto__":{}`, "}"],
  ["passwords", `{"password":1`, `,"password":1`, "}"],
  ["an unknown field with a long name", `{"`, "a", `":1}`],
  ["a deep array", `{"firstName":`, "[", ""],
  ["a deep array that is closed", `{"firstName":`, "[]", "}"],
  ["a deep object", `{"firstName":`, `{"a":`, ""],
  ["a long array", `{"firstName":[0`, ",0", "]}"],
  ["a long array of objects", `{"firstName":[{}`, ",{}", "]}"],
  ["a long array as the whole", "[0", ",0", "]"],
  ["a long number", `{"firstName":1`, "0", "}"],
  ["a long fraction", `{"firstName":0.`, "1", "}"],
  ["white space", "{", " ", "}"],
  ["text that is not JSON", "", "x", ""],
];

Deno.test("the parsing time of JSON bodies is linear, and the responses are short", async () => {
  await using fixture = await startFixture();
  const { customer } = fixture;
  const routes = [["PATCH", customer], ["POST", "/customers"], ["POST", "/customers/search"], [
    "POST",
    "/groups",
  ]];
  for (const [what, before, unit, after] of BODIES) {
    for (const [method, path] of routes as [string, string][]) {
      await assertLinear(`${what} to ${path}`, BODY, (size) => {
        const body = `${before}${filled(unit, size)}${after}`;
        return async () => {
          const response = await fixture.rest.app.request(path, fixture.as({ method, body }));
          const text = await response.text();
          assert.ok(
            response.status < 500 && text.length < 3_000,
            `${what}: ${response.status}, ${text.length}`,
          );
        };
      });
    }
  }
});

const HEADER_ROW = "email,firstName,lastName\n";
/** Rows and headers of a bulk upsert; `$` is replaced by a counter. With two units, each fills half of the text. */
const ROWS: [format: RowFormat, what: string, before: string, ...units: [string] | [string, string]][] = [
  ["csv", "a header of many columns", "", "a,"],
  ["csv", "a header of different columns", "", "a$,"],
  ["csv", "a header whose columns come again late", "", "a,", "email,"],
  ["csv", "a header of quotes", "", `"`],
  ["csv", "a header of quoted columns", "", `"a",`],
  ["csv", "a wide row", HEADER_ROW, "a,"],
  ["csv", "a wide row of quoted cells", HEADER_ROW, `"a",`],
  ["csv", "a wide row of empty cells", HEADER_ROW, ","],
  ["csv", "a long cell", HEADER_ROW, "a"],
  ["csv", "a long quoted cell", `${HEADER_ROW}"`, "a"],
  ["csv", "a cell of escaped quotes", `${HEADER_ROW}"`, `""`],
  ["csv", "a cell of quotes and spaces", `${HEADER_ROW}"`, `" `],
  ["csv", "a cell of carriage returns", HEADER_ROW, "\r"],
  ["csv", "byte order marks", "\ufeff", "\ufeff"],
  ["csv", "a cell of byte order marks", HEADER_ROW, "\ufeff"],
  ["csv", "tabs and semicolons", HEADER_ROW, "\t;|"],
  ["csv", "short rows", HEADER_ROW, "a\n"],
  ["csv", "short rows that end with CRLF", HEADER_ROW, "a\r\n"],
  ["csv", "line ends of both kinds", HEADER_ROW, "\r\n\n"],
  ["csv", "line ends in an open cell", `${HEADER_ROW}"`, "\r\n"],
  ["csv", "blank rows", HEADER_ROW, " \t\r\n"],
  ["csv", "rows of empty cells", HEADER_ROW, ",;\r"],
  ["csv", "blank rows before the header", "", ",;\r\n"],
  ["csv", "a header without a name", "", ",;\t"],
  ["csv", "delimiter lines", "", "sep=;\n"],
  ["csv", "a cell of separate carriage returns", HEADER_ROW, "a\r"],
  ["json", "a deep row", "", `{"a":`],
  ["json", "a deep array", "", "["],
  ["json", "many unknown fields", `{"a":1`, `,"a$":1`],
  ["json", "a long string", `{"email":"`, "a"],
  ["json", "an email of dots", `{"email":"`, "a."],
  ["json", "escapes", `{"email":"`, "\\u0041"],
  ["json", "empty rows", "", "{}\n"],
  ["json", "rows that end with CRLF", "", "{}\r\n"],
  ["json", "rows that are not JSON", "", "x\n"],
  ["json", "byte order marks", "", "\ufeff\n"],
];

Deno.test("the parsing time of bulk rows is linear", async () => {
  for (const [format, what, before, ...units] of ROWS) {
    const hasRows = units[0].includes("\n"); // each row has a fixed cost
    await assertLinear(`${what}, as ${format}`, hasRows ? LINE_LIMIT / 64 : LINE_LIMIT / 8 - 64, (size) => {
      const filling = units.map((unit) => filled(unit, size / units.length)).join("");
      const bytes = new TextEncoder().encode(before + filling);
      return async () => {
        const options = { stallMs: 60_000, signal: new AbortController().signal };
        try {
          for await (const rows of readRows(new Response(bytes).body!, format, options)) [...rows];
        } catch (error) {
          assert.match(String(error), /Cannot accept the (CSV|header)/);
        }
      };
    });
  }
});
