/** Arbitrary inputs for the JSON Schemas of the OpenAPI document: valid, boundary and invalid values. */
import fc from "fast-check";

/** Subset of JSON Schema that the document uses. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  format?: string;
  pattern?: string;
  example?: unknown;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean;
  items?: Schema;
  anyOf?: Schema[];
  allOf?: Schema[];
}

export type Resolve = (schema: Schema) => Schema;

/** Values that no schema accepts, or that are known to break PostgreSQL, logs or SQL. */
const HOSTILE: unknown[] = [
  null,
  true,
  -1,
  1e308,
  "",
  " ",
  "\u0000",
  "\ud800",
  "'; drop table customers; --",
  "%00",
  "x".repeat(5_000),
  [],
  {},
  [[[]]],
  { __proto__: null, constructor: 1 },
];
export const hostile = fc.constantFrom(...HOSTILE);

/** Returns values that the schema accepts. */
export function valid(reference: Schema, resolve: Resolve): fc.Arbitrary<unknown> {
  const schema = resolve(reference);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf;
  if (choices) return fc.oneof(...choices.map((choice) => valid(choice, resolve)));
  if (schema.example !== undefined) {
    const { example, ...rest } = schema;
    return fc.oneof(fc.constant(example), valid(rest, resolve));
  }
  const types = [schema.type ?? "object"].flat();
  return fc.oneof(...types.map((type) => validOf(type, schema, resolve)));
}

function validOf(type: string, schema: Schema, resolve: Resolve): fc.Arbitrary<unknown> {
  switch (type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
    case "number": {
      const { minimum: min = -(2 ** 31), maximum: max = 2 ** 31 - 1 } = schema;
      return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max));
    }
    case "array":
      return fc.array(valid(schema.items ?? {}, resolve), { maxLength: 3 });
    case "string":
      return text(schema);
    default:
      return record(schema, resolve);
  }
}

function text({ format, pattern, minLength = 1, maxLength = 60 }: Schema): fc.Arbitrary<string> {
  if (format === "uuid") return fc.uuid();
  if (format === "email") return fc.uuid().map((id) => `${id}@example.com`);
  if (format === "date-time") return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, "u"));
  const edges = [minLength, maxLength].map((length) => fc.constant("x".repeat(length)));
  return fc.oneof(fc.string({ minLength, maxLength, unit: "grapheme" }), ...edges);
}

function record({ properties = {}, required = [] }: Schema, resolve: Resolve): fc.Arbitrary<unknown> {
  const fields = Object.entries(properties).map(([name, schema]) => [name, valid(schema, resolve)] as const);
  return withSome(Object.fromEntries(fields), required);
}

/** Returns objects with the required and a few optional fields, because objects with all fields are hardly ever accepted. */
export function withSome(
  fields: Record<string, fc.Arbitrary<unknown>>,
  required: readonly string[],
): fc.Arbitrary<Record<string, unknown>> {
  const optional = Object.keys(fields).filter((name) => !required.includes(name));
  const chosen = fc.oneof(
    fc.subarray(optional, { maxLength: Math.min(2, optional.length) }),
    fc.constant(optional),
  );
  return fc.tuple(fc.record(fields), chosen).map(([all, some]) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => required.includes(name) || some.includes(name)))
  );
}

/** Returns bodies that violate the schema: a field is missing, unknown or invalid, or the body is not an object. */
export function invalid(reference: Schema, resolve: Resolve): fc.Arbitrary<unknown> {
  const schema = resolve(reference);
  const good = valid(schema, resolve) as fc.Arbitrary<Record<string, unknown>>;
  const names = Object.keys(schema.properties ?? {});
  const required = schema.required ?? [];
  return fc.oneof(
    hostile,
    fc.tuple(good, hostile).map(([body, value]) => ({ ...body, notAField: value })),
    ...(required.length > 0
      ? [fc.tuple(good, fc.constantFrom(...required)).map(([body, name]) => without(body, name))]
      : []),
    ...(names.length > 0
      ? [
        fc.tuple(good, fc.constantFrom(...names), hostile).map(([body, name, value]) => ({
          ...body,
          [name]: value,
        })),
      ]
      : []),
  );
}

function without(body: Record<string, unknown>, name: string) {
  return Object.fromEntries(Object.entries(body).filter(([key]) => key !== name));
}
