/** Admission of an operation before its execution: authentication, rate limit and variables. */
import { type DocumentNode, getOperationAST, GraphQLError, Kind, type SelectionSetNode } from "graphql";
import type { Plugin } from "graphql-yoga";
import { DomainError } from "../domain/errors.ts";
import type { Principal } from "../domain/principal.ts";
import type { GraphCaller } from "./caller.ts";
import { maskError } from "./errors.ts";
import { checkVariables } from "./variables.ts";

/**
 * Counts a request of the principal. Resolves with the seconds until the next one is accepted, undefined if
 * this one is.
 */
export type CountRequest = (principal: Principal) => Promise<number | undefined>;

/** Fields that describe the schema and return no data. */
const PUBLIC = /^__|^_service$/;

/**
 * Refuses an operation as a whole, before a variable is read, where the caller is not a shopper or exceeds
 * the rate limit; then checks the variables. An operation that only describes the schema needs no caller.
 */
export function useAdmission(count: CountRequest): Plugin<GraphCaller> {
  return {
    onExecute({ args: { document, operationName, schema }, executeFn, setExecuteFn }) {
      const operation = getOperationAST(document, operationName);
      if (!operation || isPublic(operation.selectionSet, document)) return;
      setExecuteFn(async (args) => {
        try {
          await admit(args.contextValue, count);
        } catch (error) {
          return { data: null, errors: [error instanceof GraphQLError ? error : maskError(error)] };
        }
        const errors = checkVariables(schema, operation, args.variableValues ?? {});
        return errors.length > 0 ? { errors } : await executeFn(args);
      });
    },
  };
}

async function admit(caller: GraphCaller, count: CountRequest): Promise<void> {
  const seconds = await count(await caller.shopper());
  if (seconds === undefined) return;
  const message = `Cannot accept more requests from this principal: try again in ${seconds} s`;
  const { extensions } = maskError(new DomainError("RATE_LIMITED", message));
  const http = { status: 429, headers: { "retry-after": String(seconds) } };
  throw new GraphQLError(message, { extensions: { ...extensions, http } });
}

function isPublic(selections: SelectionSetNode, document: DocumentNode, seen = new Set<string>()): boolean {
  return selections.selections.every((selection) => {
    if (selection.kind === Kind.FIELD) return PUBLIC.test(selection.name.value);
    if (selection.kind === Kind.INLINE_FRAGMENT) return isPublic(selection.selectionSet, document, seen);
    const name = selection.name.value;
    if (seen.has(name)) return true;
    seen.add(name);
    const fragment = document.definitions.find((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === name
    );
    return fragment?.kind !== Kind.FRAGMENT_DEFINITION || isPublic(fragment.selectionSet, document, seen);
  });
}
