/** Redaction of GraphQL's messages: quoted values are removed, the rest stays. */
import assert from "node:assert/strict";
import { buildSchema, getOperationAST, graphqlSync, parse, validate } from "graphql";
import { withoutQuotes } from "../../graph/quotes.ts";
import { checkVariables } from "../../graph/variables.ts";
import { assertLinear } from "../growth.ts";

const TRICKS = [
  `Ada`,
  `Ada" at "input.text"; Ada`,
  `Ada; String cannot represent: Ada`,
  `Ada got invalid value Ada; Ada`,
  `Ada. Did you mean "Ada"?`,
  `found Ada\nAda`,
  ["Ada"],
  { "Ada": "Ada; Ada" },
  { text: { Ada: "Ada" } },
  { flag: "Ada; Ada" },
  { number: "Ada: Ada" },
  { kind: "ADA" },
  { kind: ["ADA"] },
  { text: { "Ada cannot represent Ada": "Ada cannot represent Ada: Ada" } },
  { "Ada cannot represent: Ada": 1 },
  { lines: [{ text: "good" }, "Ada"] },
  { lines: { text: ["Ada"] } },
  null,
];

const schema = buildSchema(`
  enum Kind { GOOD BAD }
  input Line { text: String! = "x", note: String }
  input Input { text: String, flag: Boolean, number: Int, kind: Kind, lines: [Line!] }
  type Query { field(input: Input!, kind: Kind): String }`);
const source = `query ($input: Input!) { field(input: $input) }`;

const check = (input: unknown) =>
  checkVariables(schema, getOperationAST(parse(source))!, input === undefined ? {} : { input })
    .map(({ message }) => message);

Deno.test("no message about an invalid variable quotes it, in any notation", () => {
  for (const input of TRICKS) {
    const messages = check(input);
    assert.ok(messages.length > 0, JSON.stringify(input));
    for (const message of messages) {
      assert.match(message, /^Variable "\$input" (got an invalid value|of non-null type)/);
      assert.doesNotMatch(message.replace(/Field "Ada" is not defined/, ""), /Ada/i, message);
    }
  }
});

Deno.test("a message about a variable names the place, the field and the type", () => {
  const cases: [input: unknown, message: string][] = [
    [undefined, `Variable "$input" of required type "Input!" was not provided.`],
    [null, `Variable "$input" of non-null type "Input!" must not be null.`],
    [7, `Variable "$input" got an invalid value: Expected type "Input" to be an object.`],
    [
      { lines: [{ text: 12 }] },
      `Variable "$input" got an invalid value at "input.lines[0].text": String cannot represent a non string value.`,
    ],
    [
      { lines: [{ text: null }] },
      `Variable "$input" got an invalid value at "input.lines[0].text": Expected non-nullable type "String!" not to be null.`,
    ],
    [
      { number: 2 ** 31 },
      `Variable "$input" got an invalid value at "input.number": Int cannot represent non 32-bit signed integer value.`,
    ],
    [
      { kind: "UGLY" },
      `Variable "$input" got an invalid value at "input.kind": Value does not exist in "Kind" enum.`,
    ],
    [{ other: 1 }, `Variable "$input" got an invalid value: Field "other" is not defined by type "Input".`],
    [{ "a@b": 1 }, `Variable "$input" got an invalid value: A field is not defined by type "Input".`],
  ];
  for (const [input, message] of cases) assert.deepEqual(check(input), [message]);
});

Deno.test("variables are refused exactly where GraphQL itself refuses them", () => {
  const good = [{}, { lines: [] }, { lines: {} }, { lines: null, text: "Ada", number: 1, kind: "GOOD" }];
  for (const input of [...TRICKS, ...good]) {
    const { errors } = graphqlSync({ schema, source, variableValues: { input } });
    assert.equal(check(input).length > 0, errors !== undefined, JSON.stringify(input));
  }
});

Deno.test("a literal in a document is not quoted either", () => {
  const cases: [args: string, message: string][] = [
    [`input: { number: "Ada" }`, "Int cannot represent non-integer value."],
    [`input: { text: 7 }`, "String cannot represent a non string value."],
    [`input: "Ada; Ada"`, `Expected value of type "Input!".`],
    [`input: {}, kind: ADA`, `Value "ADA" does not exist in "Kind" enum.`],
    [`input: {}, kind: "Ada cannot represent"`, `Enum "Kind" cannot represent non-enum value.`],
  ];
  for (const [args, message] of cases) {
    const [error] = validate(schema, parse(`{ field(${args}) }`));
    assert.equal(withoutQuotes(error?.message ?? ""), message.replace(`"ADA" `, ""));
  }
  assert.equal(
    withoutQuotes(`Argument "id" has invalid value "Ada".`),
    `Argument "id" has an invalid value.`,
  );
  assert.equal(withoutQuotes(`Syntax Error: Unexpected Name "Ada".`), `Syntax Error: Unexpected Name.`);
  assert.equal(
    withoutQuotes(`Cannot query field "a" on type "B". Did you mean "b"?`),
    `Cannot query field "a" on type "B".`,
  );
});

/** Markers of quotes, at which a naive search would restart. */
const MARKERS = [
  ...[" cannot represent", " got invalid value ", " has invalid value ", ", found ", `" at "a"; `],
  ...[" Did you mean ", "Unexpected a", `Unexpected a "`, `" does not exist in "`, `Value "`, "; ", ": "],
];

Deno.test("messages are redacted in time linear in their length", async () => {
  for (const marker of MARKERS) {
    for (const start of ["", `Variable "$a" got invalid value "`, `Value "`, "a cannot represent"]) {
      await assertLinear(`${start} and ${marker}`, 100_000, (size) => {
        const message = start + marker.repeat(size / marker.length);
        return () => withoutQuotes(message);
      });
    }
  }
});

Deno.test("variables are checked in time linear in their size, and at most ten are reported", async () => {
  const shapes: Record<string, (size: number) => unknown> = {
    "a long text": (size) => " got invalid value ".repeat(size / 19),
    "many unknown fields": (size) =>
      Object.fromEntries(Array.from({ length: size / 8 }, (_, at) => [`f${at}`, 1])),
    "a long unknown field": (size) => ({ ["f".repeat(size)]: 1 }),
    "many wrong items": (size) => ({ lines: Array(size / 2).fill(1) }),
    "many right items": (size) => ({
      lines: Array(Math.floor(size / 16)).fill({ text: "x" }),
      number: "wrong",
    }),
    "a deep value": (size) => JSON.parse(`{"text":${"[".repeat(size / 2)}${"]".repeat(size / 2)}}`),
  };
  for (const [what, make] of Object.entries(shapes)) {
    assert.ok(check(make(1_000)).length <= 10);
    await assertLinear(what, 10_000, (size) => {
      const input = make(size);
      return () => check(input);
    });
  }
});
