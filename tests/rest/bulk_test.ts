/** Bulk upsert: the result of each row, and of the same file sent again. */
import assert from "node:assert/strict";
import { rememberErasure } from "../gdpr/remembered_erasure.ts";
import type { Principal } from "../../domain/principal.ts";
import { readRows } from "../../rest/customers/bulk_rows.ts";
import { requestSettings } from "../actors/settings.ts";
import { register, shopper, tell } from "../actors/world.ts";
import { captureLog } from "../captured_log.ts";
import type { Line } from "./bulk.ts";
import { startRest, type TestRest } from "./server.ts";

const CSV = { "content-type": "text/csv" };
const JSON_LINES = { "content-type": "application/x-ndjson" };

async function send(
  rest: TestRest,
  as: Principal | undefined,
  body: string,
  headers: Record<string, string> = JSON_LINES,
): Promise<{ status: number; text: string; lines: Line[] }> {
  const { status, text } = await rest.call("POST", "/customers/bulk", { body, headers, ...(as && { as }) });
  const lines = status === 200 ? text.split("\n").filter((line) => line).map((line) => JSON.parse(line)) : [];
  return { status, text, lines };
}

const rows = (...fields: unknown[]) =>
  fields.map((row) => typeof row === "string" ? row : JSON.stringify(row)).join("\n");
/** Row number and result of a line, with the version, or the error code of a refused row. */
const summary = ({ row, result, version, error }: Line) => [row, result, error?.code ?? version];

Deno.test("each row is created, updated, left unchanged or refused, in the order of the rows", async () => {
  await using rest = await startRest();
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  const existing = await register(rest.world, { email: "Known@example.com", firstName: "Ada" });
  const { status, lines } = await send(
    rest,
    as,
    rows(
      { email: "new@example.com", name: "Grace Hopper" },
      { email: "known@EXAMPLE.com", firstName: "Augusta" },
      { email: "known@example.com" },
      "{",
      "",
      "[]",
      { email: "no", nickname: "x" },
      { firstName: "Anonymous" },
      { customerId: crypto.randomUUID(), email: "other@example.com" },
      { customerId: existing.id.toUpperCase(), lastName: "Lovelace" },
      { customerId: existing.id, email: "NEW@example.com" },
      { email: "new@example.com", password: "hunter2" },
      { email: "last@example.com", phone: null },
    ),
  );
  assert.equal(status, 200);
  assert.deepEqual(lines.map(summary), [
    [1, "CREATED", 1],
    [2, "UPDATED", 2],
    [3, "UNCHANGED", 2],
    [4, "REFUSED", "INVALID_INPUT"],
    [5, "REFUSED", "INVALID_INPUT"],
    [6, "REFUSED", "INVALID_INPUT"],
    [7, "REFUSED", "INVALID_INPUT"],
    [8, "REFUSED", "NOT_FOUND"],
    [9, "UPDATED", 3],
    [10, "REFUSED", "ALREADY_EXISTS"],
    [11, "REFUSED", "INVALID_INPUT"],
    [12, "CREATED", 1],
  ]);
  assert.deepEqual([lines[1].customerId, lines[8].customerId], [existing.id, existing.id]);
  assert.equal(lines[3].error.message, "Cannot accept row 4: it is not JSON");
  assert.equal(
    lines[5].error.message,
    "Cannot accept row 6: email must be an email address; nickname is not known",
  );
  assert.match(lines[6].error.message, /customerId or email must be given/);
  assert.match(lines[10].error.message, /identity-service/);
  const read = await rest.call("GET", `/customers/${existing.id}`, { as });
  const { email, firstName, lastName, version } = read.body;
  assert.deepEqual([email, firstName, lastName, version], ["Known@example.com", "Augusta", "Lovelace", 3]);
  const [journal] = await rest.world.admin`
    select count(*)::int as events, count(*) filter (where event_type = 'register')::int as registrations
    from actor_events`;
  assert.deepEqual({ ...journal }, { events: 5, registrations: 3 }, "every row is a normal command");
});

Deno.test("CSV is accepted with quotes, empty cells and either line ending", async () => {
  await using rest = await startRest();
  const as = rest.world.system;
  const id = crypto.randomUUID();
  const file = [
    "\uFEFFcustomerId,email,firstName,lastName,returning",
    ',ada@example.com,"Ada ""King""","Love, lace",',
    `${id},grace@example.com,Grace,,false`,
    "",
    ",ADA@example.com,,Lovelace,true",
    ",x@example.com,one,two,maybe",
    ",x@example.com,too few",
    ',"x@example.com,one,two,',
    'x",,,',
    ',y@example.com,"two\nlines",,',
    ",last@example.com,,,",
  ].join("\r\n");
  const { lines } = await send(rest, as, file, { "content-type": "text/csv; charset=utf-8" });
  assert.deepEqual(lines.map(summary), [
    [1, "CREATED", 1],
    [2, "CREATED", 1],
    [3, "UPDATED", 2],
    [4, "REFUSED", "INVALID_INPUT"],
    [5, "REFUSED", "INVALID_INPUT"],
    [6, "REFUSED", "INVALID_INPUT"],
    [7, "REFUSED", "INVALID_INPUT"],
    [8, "CREATED", 1],
  ]);
  assert.equal(lines[1].customerId, id);
  assert.match(lines[3].error.message, /returning must be of type boolean/);
  assert.match(lines[4].error.message, /it has 3 cells where the header has 5/);
  assert.match(lines[6].error.message, /firstName must not contain control characters/);
  const { body } = await rest.call("GET", `/customers/${lines[0].customerId}`, { as });
  assert.deepEqual([body.firstName, body.lastName], ['Ada "King"', "Lovelace"]);
});

Deno.test("a CSV with an invalid header is refused as a whole", async () => {
  await using rest = await startRest();
  for (const header of ["email;nickname", "email,nickname", "email,E-Mail", '"email', "", ",,", "sep=x"]) {
    const body = `${header}\nnumbat@example.com,x\n`;
    const { status, text } = await send(rest, rest.world.system, body, CSV);
    assert.deepEqual([status, JSON.parse(text).code], [400, "INVALID_INPUT"], header);
    assert.doesNotMatch(text, /numbat/);
  }
  assert.deepEqual((await send(rest, rest.world.system, "email,firstName\n", CSV)).lines, []);
  assert.deepEqual((await send(rest, rest.world.system, "")).lines, []);
  const other = await send(rest, rest.world.system, "email", { "content-type": "text/plain" });
  assert.deepEqual([other.status, JSON.parse(other.text).code], [415, "INVALID_INPUT"]);
});

Deno.test("a row that is too long is refused, and the next one is applied", async () => {
  await using rest = await startRest();
  const long = "x".repeat(64 * 1024);
  const good = { email: "good@example.com" };
  const lines = (await send(rest, rest.world.system, rows({ email: long }, good, `"${long}`))).lines;
  assert.deepEqual(lines.map(summary), [
    [1, "REFUSED", "INVALID_INPUT"],
    [2, "CREATED", 1],
    [3, "REFUSED", "INVALID_INPUT"],
  ]);
  assert.equal(lines[0].error.message, "Cannot accept row 1: it has more than 65536 bytes");
});

Deno.test("a quote that is never closed affects its own row only", async () => {
  await using rest = await startRest();
  const good = Array.from({ length: 200 }, (_, at) => `good${at}@example.com,Ada`).join("\n");
  const filler = "no email,x\n".repeat(7_000); // longer than the maximum length of a row
  const file =
    `email,lastName\na@example.com,5" tall\nb@example.com,"x\n${good}\n${filler}c@example.com,"x\n${good}`;
  const { lines } = await send(rest, rest.world.system, file, CSV);
  assert.equal(lines.length, 1 + 1 + 200 + 7_000 + 1 + 200);
  assert.deepEqual(lines.slice(0, 3).map(summary), [
    [1, "CREATED", 1],
    [2, "REFUSED", "INVALID_INPUT"],
    [3, "CREATED", 1],
  ]);
  assert.equal(lines[1].error.message, "Cannot accept row 2: its quotes do not match");
  assert.deepEqual(lines.slice(7_202, 7_204).map(summary), [
    [7_203, "REFUSED", "INVALID_INPUT"],
    [7_204, "UNCHANGED", 1],
  ]);
  assert.equal(lines.filter(({ result }) => result === "CREATED").length, 201);
});

Deno.test("concurrent files with the same new customers create each customer once", async () => {
  await using rest = await startRest();
  const fields = Array.from({ length: 20 }, (_, at) => ({
    customerId: crypto.randomUUID(),
    email: `together${at}@example.com`,
  }));
  const answers = await Promise.all([1, 2, 3, 4].map(() => send(rest, rest.world.system, rows(...fields))));
  const results = answers.flatMap(({ lines }) => lines.map(({ result }) => result)).toSorted();
  assert.deepEqual(results, [...Array(20).fill("CREATED"), ...Array(60).fill("UNCHANGED")]);

  const duplicate = { customerId: crypto.randomUUID(), email: "together0@example.com" };
  const unknown = { customerId: crypto.randomUUID(), firstName: "Ada" };
  const { lines } = await send(rest, rest.world.system, rows(duplicate, unknown));
  assert.deepEqual(lines.map(summary), [[1, "REFUSED", "ALREADY_EXISTS"], [2, "REFUSED", "NOT_FOUND"]]);
});

Deno.test("a row that is not UTF-8 is refused, in either format", async () => {
  const latin = [0x67, 0xe4, 0x0a]; // "gä" in Latin-1, and a line feed
  const encoder = new TextEncoder();
  const options = { stallMs: 1_000, signal: new AbortController().signal };
  for (const [format, before] of [["json", ""], ["csv", "email\n"]] as const) {
    const body = new Blob([encoder.encode(before), new Uint8Array(latin)]).stream();
    const [row, ...more] = (await Array.fromAsync(readRows(body, format, options))).flatMap((
      rows,
    ) => [...rows]);
    assert.ok(row && "refusal" in row);
    assert.deepEqual([row.refusal.message, more], ["Cannot accept row 1: it is not UTF-8", []]);
  }
});

Deno.test("rows with the same email are applied one after another", async () => {
  await using rest = await startRest();
  const as = rest.world.system;
  const file = Array.from({ length: 60 }, (_, at) => ({
    email: `${at % 3 ? "SAME" : "same"}@example.com`,
    firstName: `Name ${at}`,
  }));
  const { lines } = await send(rest, as, rows(...file));
  assert.deepEqual(lines.map(summary), file.map((_, at) => [at + 1, at ? "UPDATED" : "CREATED", at + 1]));
  const { body } = await rest.call("GET", `/customers/${lines[0].customerId}`, { as });
  assert.equal(body.firstName, "Name 59");
});

Deno.test("a file sent again with its idempotency key changes nothing and gets the same results", async () => {
  await using rest = await startRest();
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  const [existing, moved] = [
    await register(rest.world, { email: "known@example.com" }),
    await register(rest.world, { email: "moved@example.com" }),
  ];
  const file = rows(
    { email: "new@example.com", lastName: "New" },
    { email: "known@example.com", lastName: "Known" },
    { email: "moved@example.com" },
    { customerId: moved.id, email: "elsewhere@example.com" },
    { email: "no" },
    { email: "new@example.com", lastName: "Newer" },
  );
  const headers = { ...JSON_LINES, "idempotency-key": "spring import" };
  const first = await send(rest, as, file, headers);
  assert.deepEqual(first.lines.map(summary), [
    [1, "CREATED", 1],
    [2, "UPDATED", 2],
    [3, "UNCHANGED", 1],
    [4, "UPDATED", 2],
    [5, "REFUSED", "INVALID_INPUT"],
    [6, "UPDATED", 2],
  ]);
  const events = () => rest.world.admin`select count(*)::int as count from actor_events`;
  const [before] = await events();
  await tell(rest.world, existing, "profile.update", { lastName: "Changed since" });
  const second = await send(rest, as, file, headers);
  assert.deepEqual(second.lines, first.lines);
  const [after] = await events();
  assert.equal(after?.count, before?.count + 1, "only the update between the two");

  const other = await send(rest, as, rows({ email: "x@example.com" }), headers);
  assert.deepEqual(summary(other.lines[0]), [1, "REFUSED", "INVALID_INPUT"]);
  assert.match(other.lines[0].error.message, /the idempotency key belongs to another request/);
  const elsewhere = rest.staff(["CUSTOMER_MANAGER"], crypto.randomUUID());
  assert.deepEqual(
    (await send(rest, elsewhere, rows({ email: "x@example.com" }), headers)).lines.map(summary),
    [
      [1, "CREATED", 1],
    ],
  );
});

Deno.test("a file that is sent again while it is still being applied gets the same results", async () => {
  await using rest = await startRest();
  const { system: as } = rest.world;
  const file = rows(...Array.from({ length: 120 }, (_, at) => ({
    ...(at % 2 === 0 && { customerId: crypto.randomUUID() }),
    email: `row-${at}@example.com`,
  })));
  const headers = { ...JSON_LINES, "idempotency-key": "impatient import" };
  const [first, ...others] = await Promise.all([1, 2, 3].map(() => send(rest, as, file, headers)));
  assert.ok(first?.lines.every(({ result }) => result === "CREATED"));
  for (const other of others) assert.deepEqual(other.lines, first?.lines);
});

Deno.test("only services choose IDs; shoppers, other roles and other stores are refused", async () => {
  await using rest = await startRest();
  const ref = await register(rest.world, { email: "mine@example.com" });
  const customerId = crypto.randomUUID();
  const row = rows({ customerId, email: "brought@example.com" });
  const outcome = async (as: Principal | undefined) => {
    const { status, lines } = await send(rest, as, row);
    return [status, lines[0]?.result, lines[0]?.error?.code];
  };
  assert.deepEqual(await outcome(undefined), [401, undefined, undefined]);
  assert.deepEqual(await outcome(shopper(ref)), [403, undefined, undefined]);
  for (const role of ["CUSTOMER_SUPPORT", "PRIVACY_OFFICER"] as const) {
    assert.deepEqual(await outcome(rest.staff([role])), [403, undefined, undefined]);
  }
  assert.deepEqual(await outcome(rest.staff(["CUSTOMER_MANAGER"])), [200, "REFUSED", "NOT_FOUND"]);
  assert.deepEqual(await outcome(rest.world.system), [200, "CREATED", undefined]);
  const otherStore = rest.staff(["STORE_MANAGER"], crypto.randomUUID());
  const { lines } = await send(
    rest,
    otherStore,
    rows({ customerId: ref.id, lastName: "X" }, { email: "mine@example.com", lastName: "Theirs" }),
  );
  assert.deepEqual(lines.map(summary), [[1, "REFUSED", "NOT_FOUND"], [2, "CREATED", 1]]);
  const mine = await rest.call("GET", `/customers/${ref.id}`, { as: rest.world.system });
  assert.deepEqual([mine.body.version, mine.body.lastName], [1, null]);
});

Deno.test("a row with the email of an erased person is refused unless the person returns", async () => {
  const requests = await requestSettings();
  await using rest = await startRest({ requests });
  const ref = await register(rest.world);
  const email = "numbat@example.com";
  await rememberErasure(rest.world.admin, ref, await requests.hashEmail(email));
  await tell(rest.world, ref, "erase", { requestId: crypto.randomUUID() });
  await using logged = await captureLog();
  const { lines, text } = await send(
    rest,
    rest.world.system,
    rows({ email }, { customerId: ref.id, email: "b@example.com" }, { email, returning: true }),
  );
  assert.deepEqual(lines.map(summary), [
    [1, "REFUSED", "REFUSED_IN_STATE"],
    [2, "REFUSED", "REFUSED_IN_STATE"],
    [3, "CREATED", 1],
  ]);
  assert.doesNotMatch(text + logged.lines.join("\n"), /numbat/);
});

Deno.test("values of invalid rows are neither in the response nor in the log", async () => {
  await using rest = await startRest();
  await using logged = await captureLog();
  const values = { email: "numbat@marsupial.example", firstName: "Numbat", lastName: "Potoroo" };
  await register(rest.world, { email: values.email });
  const json = await send(
    rest,
    rest.world.system,
    rows(
      `{"email": "numbat@marsupial.example", Potoroo}`,
      { ...values, phone: "Numbat" },
      { ...values, numbat: "x" },
      { ...values, locale: "Numbat!" },
      { customerId: "Numbat", ...values },
      { customerId: crypto.randomUUID(), ...values },
      { ...values, firstName: "Numbat".repeat(50) },
    ),
  );
  const csv = await send(
    rest,
    rest.world.system,
    'email,lastName\nnumbat,"Potoroo"x\nnumbat,Potoroo,1\n',
    CSV,
  );
  assert.deepEqual([json.lines.length, csv.lines.length], [7, 2]);
  for (const { result } of [...json.lines, ...csv.lines]) assert.equal(result, "REFUSED");
  const output = `${json.text}${csv.text}${logged.lines.join("\n")}`
    .replaceAll("numbat is not known", "")
    .replaceAll('{"field":"numbat","message":"is not known"}', "");
  assert.doesNotMatch(output, /numbat|potoroo/i);
});
