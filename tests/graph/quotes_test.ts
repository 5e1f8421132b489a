/** GraphQL's messages lose the values that they quote and keep the rest. */
import assert from "node:assert/strict";
import { buildSchema, graphqlSync } from "graphql";
import { withoutQuotes } from "../../graph/quotes.ts";

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
];

Deno.test("no message of a variable that does not fit quotes it, however it is written", () => {
  const schema = buildSchema(`
    enum Kind { GOOD BAD }
    input Input { text: String, flag: Boolean, number: Int, kind: Kind }
    type Query { field(input: Input!): String }`);
  const source = `query ($input: Input!) { field(input: $input) }`;
  for (const input of TRICKS) {
    const { errors } = graphqlSync({ schema, source, variableValues: { input } });
    assert.ok(errors && errors.length > 0);
    for (const { message } of errors) {
      const shown = withoutQuotes(message);
      assert.match(shown, /^Variable "\$input" got an invalid value/);
      assert.doesNotMatch(shown.replace(/Field "Ada" is not defined/, ""), /Ada/i, message);
    }
  }
});

Deno.test("a message keeps the place, the field and the type", () => {
  assert.equal(
    withoutQuotes(
      `Variable "$input" got invalid value 12 at "input.lines[0].text"; String cannot represent a non string value: 12`,
    ),
    `Variable "$input" got an invalid value at "input.lines[0].text": String cannot represent a non string value.`,
  );
  assert.equal(
    withoutQuotes(
      `Variable "$input" got invalid value { a: 1 }; Field "a" is not defined by type "Input". Did you mean "b"?`,
    ),
    `Variable "$input" got an invalid value: Field "a" is not defined by type "Input".`,
  );
  assert.equal(
    withoutQuotes(`Variable "$id" of required type "ID!" was not provided.`),
    `Variable "$id" of required type "ID!" was not provided.`,
  );
});
