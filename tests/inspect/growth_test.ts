/** The inspector reads cookies, URLs and forms in linear time. */
import assert from "node:assert/strict";
import { readQuery } from "../../inspect/overview/query.ts";
import { assertLinear, filled } from "../growth.ts";
import { startInspector } from "./server.ts";

/** 8 times this is the largest header that Deno accepts. */
const HEADER = 8 * 1_024;
/** 8 times this is more than Deno accepts, so that growth is measurable. */
const URL_SIZE = 32 * 1_024;
const FORM = Math.floor(100 * 1_024 / 8) - 64;
const SIGN_IN = 1_024 - 16;
const RETRY = 32 * 1_024;

const NAME = "customer-service-inspector";
const COOKIES: [before: string, unit: string][] = [
  ["", ";"],
  ["", "a=b;"],
  ["", "="],
  ["", `${NAME};`],
  ["", `${NAME}=a;`],
  [`${NAME}=`, "a"],
  [`${NAME}=`, "%41"],
  [`${NAME}=`, "%"],
  [`${NAME}=`, "a."],
  [`${NAME}="`, `"`],
  ["", " "],
  ["", "a$=b; "],
];

/** URLs of pages, requested with and without a token. */
const URLS: [before: string, unit: string][] = [
  ["/inspect?", "&"],
  ["/inspect?%", "&"],
  ["/inspect?", "a$&"],
  ["/inspect?", "a$=1&"],
  ["/inspect?", "sort=due&"],
  ["/inspect?", "type=ACCESS&"],
  ["/inspect?%", "&store"],
  ["/inspect?waiting=", "%20"],
  ["/inspect?after=", "a"],
  ["/inspect/sign-in?to=", "a"],
  ["/inspect/sign-in?to=/inspect", "/.."],
  ["/inspect/sign-in?to=/inspect", "%2f"],
  ["/inspect/sign-in?to=", "%2f"],
  ["/inspect/sign-in?to=", "\\\\"],
  ["/inspect/", "/"],
  ["/inspect/customers/", "a"],
  ["/inspect/requests/", "%41"],
];

const FORMS: [path: string, size: number, before: string, unit: string][] = [
  ["/inspect/sign-in", SIGN_IN, "token=", "a"],
  ["/inspect/sign-in", SIGN_IN, "token=", "."],
  ["/inspect/sign-in", SIGN_IN, "token=", "+"],
  ["/inspect/sign-in", SIGN_IN, "to=", "%2f.."],
  ["/inspect/sign-in", SIGN_IN, "", "a$&"],
  ["/inspect/requests/REQUEST", FORM, "reason=", "+"],
  ["/inspect/requests/REQUEST", FORM, "reason=", "%0a"],
  ["/inspect/requests/REQUEST", FORM, "", "a$=1&"],
  ["/inspect/requests/REQUEST", FORM, "", "&"],
  ["/inspect/requests/REQUEST", FORM, "", "%"],
  ["/inspect/retry", RETRY, "retries=", "["],
  ["/inspect/retry", RETRY, "retries=[0", ",0"],
  ["/inspect/retry", RETRY, "retries=", "a"],
  ["/inspect/retry", RETRY, "", "retries=a&"],
];

/** Multipart bodies, also with boundaries that nearly match. */
const PARTS: [what: string, boundary: string, before: string, unit: string][] = [
  ["many parts", "b", "--b", `\r\ncontent-disposition: form-data; name="a$"\r\n\r\nx\r\n--b`],
  ["many headers of a part", "b", "--b\r\n", "a$: b\r\n"],
  ["a long header of a part", "b", `--b\r\ncontent-disposition: form-data; name="`, "a"],
  ["parameters of a header", "b", "--b\r\ncontent-disposition: form-data", `; a$="b"`],
  ["line breaks", "b", `--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n`, "\r\n"],
  ["hyphens", "-".repeat(60), `--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n`, "-"],
  ["boundaries that do not match", "b".repeat(60), "", `\r\n--${"b".repeat(59)}`],
];

Deno.test("the inspector reads headers and URLs in linear time", async () => {
  await using inspector = await startInspector();
  const { app, officer } = inspector;
  const authorization = `Bearer ${await inspector.token(officer)}`;
  const get = async (path: string, headers: Record<string, string>) => {
    const response = await app.request(path, { headers: { accept: "text/html", ...headers } });
    await response.arrayBuffer();
    assert.ok(response.status < 500, `${path.slice(0, 40)}: ${response.status}`);
  };
  for (const [before, unit] of COOKIES) {
    await assertLinear(`a cookie of ${before}${unit}`, HEADER, (size) => {
      const cookie = `${before}${filled(unit, size)}`;
      return () => get("/inspect", { cookie });
    });
  }
  for (const [before, unit] of URLS) {
    for (const headers of [{}, { authorization }]) {
      await assertLinear(`${before}${unit}`, URL_SIZE, (size) => {
        const path = `${before}${filled(unit, size)}`;
        return () => get(path, headers);
      });
    }
  }
});

Deno.test("the query of the overview is read in linear time, and causes few notices", async () => {
  for (const unit of ["a$&", "a$=1&", "type=a&", "sort=a&", "&", "a$=&", "%20=1&"]) {
    await assertLinear(unit, 16 * 1_024, (size) => {
      const query = new URLSearchParams(filled(unit, size));
      return () => assert.ok(readQuery(query).notices.length < 20);
    });
  }
});

Deno.test("the inspector reads forms in linear time", async () => {
  await using inspector = await startInspector();
  const { app, officer, origin } = inspector;
  const authorization = `Bearer ${await inspector.token(officer)}`;
  const post = async (path: string, type: string, body: string, headers: Record<string, string>) => {
    const url = `${origin}${path.replace("REQUEST", crypto.randomUUID())}`;
    const sent = { origin, "content-type": type, "content-length": String(body.length), ...headers };
    const response = await app.request(url, { method: "POST", body, headers: sent });
    await response.arrayBuffer();
    assert.ok(response.status >= 400, `${path}: ${response.status}`);
  };
  for (const [path, size, before, unit] of FORMS) {
    for (const headers of [{}, { authorization }]) {
      await assertLinear(`${path} of ${before}${unit}`, size, (size) => {
        const body = `${before}${filled(unit, size)}`;
        return () => post(path, "application/x-www-form-urlencoded", body, headers);
      });
    }
  }
  for (const [what, boundary, before, unit] of PARTS) {
    await assertLinear(what, RETRY, (size) => {
      const body = `${before}${filled(unit, size)}\r\n--${boundary}--\r\n`;
      return () =>
        post("/inspect/retry", `multipart/form-data; boundary=${boundary}`, body, { authorization });
    });
  }
});
