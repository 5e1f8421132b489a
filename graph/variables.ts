/**
 * Validation of an operation's variables against their types before its execution. Its messages contain no
 * value.
 */
import {
  GraphQLError,
  type GraphQLInputType,
  type GraphQLLeafType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
  type VariableDefinitionNode,
} from "graphql";

import type { FieldError } from "../domain/errors.ts";

/** Refusals in one answer: enough to correct a request, with bounded work. */
const NAMED = 10;

type Values = Readonly<Record<string, unknown>>;

/** Refusal at a place such as `input.lines[0].text`. */
interface Refusal {
  place: string;
  reason: string;
}

/** Returns the refusals in time linear in the values; GraphQL's own check quotes each value that it refuses. */
export function checkVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  values: Values,
): GraphQLError[] {
  return variableDefinitions.values()
    .flatMap((definition) => checkVariable(schema, definition, values))
    .take(NAMED)
    .toArray();
}

function* checkVariable(
  schema: GraphQLSchema,
  definition: VariableDefinitionNode,
  values: Values,
): Generator<GraphQLError> {
  const name = definition.variable.name.value;
  const type = typeFromAST(schema, definition.type);
  if (!isInputType(type)) return; // validation has reported it
  const refuse = (reason: string, problem: FieldError = { field: name, message: reason }) =>
    new GraphQLError(`Variable "$${name}" ${reason}`, {
      nodes: definition,
      extensions: { code: "BAD_USER_INPUT", fields: [problem], http: { spec: true, status: 400 } },
    });
  if (!Object.hasOwn(values, name)) {
    const missing = isNonNullType(type) && !definition.defaultValue;
    if (missing) yield refuse(`of required type "${type}" was not provided.`);
  } else if (values[name] === null && isNonNullType(type)) {
    yield refuse(`of non-null type "${type}" must not be null.`);
  } else {
    for (const { place, reason } of checkValue(values[name], type, name)) {
      const field = place === name ? name : place.slice(name.length + 1);
      const where = place === name ? "" : ` at "${place}"`;
      yield refuse(`got an invalid value${where}: ${reason}`, { field, message: reason });
    }
  }
}

function* checkValue(value: unknown, type: GraphQLInputType, place: string): Generator<Refusal> {
  if (isNonNullType(type)) {
    if (value !== null && value !== undefined) yield* checkValue(value, type.ofType, place);
    else yield { place, reason: `Expected non-nullable type "${type}" not to be null.` };
  } else if (value === null || value === undefined) return;
  else if (isListType(type)) {
    const items = Array.isArray(value) ? value.entries() : undefined;
    if (!items) yield* checkValue(value, type.ofType, place); // a single item is coerced to a list
    else for (const [at, item] of items) yield* checkValue(item, type.ofType, `${place}[${at}]`);
  } else if (!isInputObjectType(type)) yield* checkLeaf(value, type, place);
  else if (typeof value !== "object" || Array.isArray(value)) {
    yield { place, reason: `Expected type "${type}" to be an object.` };
  } else {
    const fields = type.getFields();
    for (const field of Object.values(fields)) {
      const item = (value as Values)[field.name];
      if (item !== undefined) yield* checkValue(item, field.type, `${place}.${field.name}`);
      else if (isNonNullType(field.type) && field.defaultValue === undefined) {
        yield { place, reason: `Field "${field.name}" of required type "${field.type}" was not provided.` };
      }
    }
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(fields, name)) {
        yield { place, reason: `${shown(name)} is not defined by type "${type}".` };
      }
    }
  }
}

function* checkLeaf(value: unknown, type: GraphQLLeafType, place: string): Generator<Refusal> {
  try {
    if (type.parseValue(value) !== undefined) return;
    yield { place, reason: `Expected type "${type}".` };
  } catch (error) {
    if (isEnumType(type)) yield { place, reason: `Value does not exist in "${type}" enum.` };
    // GraphQL's scalars quote the value after a colon: "Int cannot represent non-integer value: …".
    else yield { place, reason: `${(error as Error).message.split(":", 1)[0]!.replace(/\.$/, "")}.` };
  }
}

/** Returns a field's name as the caller wrote it, if it is a valid name. */
function shown(name: string): string {
  return /^\w{1,50}$/.test(name) ? `Field "${name}"` : "A field";
}
