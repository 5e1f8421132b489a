import assert from "node:assert/strict";
import fc from "fast-check";
import postgres from "postgres";
import { z } from "zod";
import { describeDefect, describeError } from "../../lib/error_description.ts";

Deno.test("errors of the engine are described with their place, without quoted values", () => {
  const complaints: (() => unknown)[] = [
    () => new URL("http://a b/?email=numbat@example.com"),
    () => JSON.parse('{"email": numbat@example.com}'),
    () => decodeURIComponent("numbat%"),
  ];
  for (const complain of complaints) {
    let description = "";
    try {
      complain();
    } catch (error) {
      description = describeError(error);
    }
    assert.match(description, /^\w+Error: .* at lib\/error_description_test\.ts:\d+$/);
    assert.doesNotMatch(description, /numbat/);
  }
});

/** Errors that contain a value, one for each way. */
const SHAPES: Record<string, { make: (value: string) => unknown; description: RegExp }> = {
  "PostgreSQL, with a detail": {
    make: (value) =>
      Object.assign(Object.create(postgres.PostgresError.prototype), {
        name: "PostgresError",
        message: `invalid input: "${value}"`,
        code: "23505",
        detail: `Key (email)=(${value}) already exists.`,
        hint: value,
        where: value,
        query: value,
        constraint_name: "customers_email_key",
      }),
    description: /^PostgreSQL 23505 customers_email_key$/,
  },
  "zod, with the input": {
    make: (value) => z.strictObject({ email: z.literal("a") }).safeParse({ email: value, [value]: 1 }).error,
    description: /^ZodError: invalid_value, unrecognized_keys/,
  },
  "a property that the engine quotes": {
    make: (value) => thrownBy(() => (undefined as unknown as Record<string, string>)[value]),
    description:
      /^TypeError: Cannot read properties of undefined \(reading '…'\) at lib\/error_description_test\.ts:\d+$/,
  },
  "JSON that the engine quotes": {
    make: (value) => thrownBy(() => JSON.parse(`{"a": ${value}}`)),
    description: /^SyntaxError: .* at lib\/error_description_test\.ts:\d+$/,
  },
  "a number that the engine quotes without quotation marks": {
    make: (value) => thrownBy(() => BigInt(value)),
    description: /^SyntaxError: Cannot convert … to a BigInt at lib/,
  },
  "a time zone that the engine quotes after a colon": {
    make: (value) => thrownBy(() => new Intl.DateTimeFormat("en", { timeZone: value })),
    description: /^RangeError: Invalid time zone specified: … at lib/,
  },
  "an error of a package": {
    make: (value) => {
      const stack = `Error: ${value}\n    at send (file:///cache/npm/mailer/1.0.0/src/send.js:12:3)`;
      return Object.assign(new Error(value), { stack });
    },
    description: /^Error at src\/send\.js:12$/,
  },
  "a package's error whose message looks like a frame of ours": {
    make: (value) => {
      const message = `${value}\n    at ${value} (file:///app/db/errors.ts:1:1)`;
      const stack = `Error: ${message}\n    at send (file:///cache/npm/mailer/1.0.0/src/send.js:12:3)`;
      return Object.assign(new Error(message), { stack });
    },
    description: /^Error at src\/send\.js:12$/,
  },
  "an error with a cause": {
    make: (value) =>
      new DOMException("It has failed", { name: "DataError", cause: new Error(value) } as never),
    description: /^DataError: It has failed$/,
  },
  "an error with other fields": {
    make: (value) => Object.assign(new Error("It has failed"), { input: value, path: value }),
    description: /^Error: It has failed$/,
  },
  "several errors": {
    make: (value) =>
      new AggregateError(
        [thrownBy(() => JSON.parse(value)), value, { value }, ...Array(10).fill(value)],
        value,
      ),
    description: /^AggregateError of 13: SyntaxError: .*; string was thrown, .*; object was thrown, [^;]*$/,
  },
  "an error with a name that is not one": {
    make: (value) => Object.assign(thrownBy(() => decodeURIComponent("%")) as Error, { name: `${value} ` }),
    description: /^Error: URI malformed at lib/,
  },
  "a string": { make: (value) => value, description: /^string was thrown/ },
  "an object": { make: (value) => ({ value, toString: () => value }), description: /^object was thrown/ },
  "a getter that throws": {
    make: (value) =>
      Object.defineProperty(new Error(value), "name", {
        get() {
          throw new Error(value);
        },
      }),
    description: /^An error that cannot be read$/,
  },
  "a proxy that throws": {
    make: (value) =>
      new Proxy(new Error(value), {
        get() {
          throw new Error(value);
        },
        getPrototypeOf() {
          throw new Error(value);
        },
      }),
    description: /^An error that cannot be read$/,
  },
  "a message that is not a string": {
    make: (value) => Object.assign(new Error(value), { code: "ECONNRESET", message: { value } }),
    description: /^Error: \[object Object\]$/,
  },
};

/** Personal values that cannot be part of a description by chance. */
const values = fc.tuple(
  fc.constantFrom(
    "Numbat",
    "numbat@example.com",
    'Numbat\'s "Street" 7',
    "numbat: +41445551234",
    "numbat\nnumbat",
  ),
  fc.string({ unit: "grapheme", maxLength: 20 }),
).map(([value, more]) => `${value}${more}`);

for (const [what, { make, description }] of Object.entries(SHAPES)) {
  Deno.test(`the description of an error contains no value: ${what}`, () => {
    fc.assert(
      fc.property(values, (value) => {
        const described = describeError(make(value));
        assert.match(described, description);
        assert.doesNotMatch(described, /numbat/i);
        assert.doesNotMatch(describeDefect(make(value)), /numbat/i);
      }),
      { numRuns: 100 },
    );
  });
}

Deno.test("the description of a defect has its class, code and place but not its message", () => {
  const refused = Object.assign(new Error("numbat"), { code: "ECONNREFUSED" });
  assert.match(describeDefect(refused), /^Error ECONNREFUSED at lib\/error_description_test\.ts:\d+$/);
  assert.match(
    describeDefect(new RangeError("numbat")),
    /^RangeError at lib\/error_description_test\.ts:\d+$/,
  );
  assert.equal(describeDefect(undefined), "undefined was thrown, which is not an Error");
});

Deno.test("a description has at most 500 characters", () => {
  const connection = Object.assign(new Error("x".repeat(1_000_000)), { code: "ECONNREFUSED" });
  const described = describeError(connection);
  assert.deepEqual([described.length, described.at(-1)], [500, "…"]);
  const many = new AggregateError(Array(100_000).fill(connection));
  assert.equal(describeError(many).length, 500);
});

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
