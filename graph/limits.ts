/** How much one request may ask for, refused before anything runs. */
import { maxAliasesRule } from "@escape.tech/graphql-armor-max-aliases";
import { maxDepthRule } from "@escape.tech/graphql-armor-max-depth";
import {
  type ASTVisitor,
  type DocumentNode,
  type FieldNode,
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  type ParseOptions,
  type Source,
  validate,
  type ValidationContext,
} from "graphql";
import type { Plugin } from "graphql-yoga";
import { createCosts } from "./cost.ts";

export const LIMITS = {
  /** Bytes of a request body. */
  body: 100 * 1024,
  /** Characters of a document, so that what is remembered of documents stays small. */
  document: 10_000,
  tokens: 1_000,
  depth: 8,
  /** Objects count 2, other fields and fragments 1, and each level 1.5 times what it holds; all of `me` comes to about 100. */
  cost: 500,
  aliases: 10,
  /** References in one `_entities`. */
  entities: 100,
  /** References times the cost of what is asked of each: all of a customer twenty times, or its name a hundred times. */
  entitiesCost: 2_000,
  /** Validation errors that are looked for in one document. */
  errors: 10,
  /** Documents that are remembered by their hash. */
  persistedDocuments: 1_000,
} as const;

/** Holds documents to LIMITS; in production also keeps the schema to those who have its file. */
export function useLimits(production: boolean): Plugin {
  const rules = [
    maxDepthRule({ n: LIMITS.depth, ...refusal(`deeper than ${LIMITS.depth} levels`) }),
    maxAliasesRule({ n: LIMITS.aliases, ...refusal(`more than ${LIMITS.aliases} aliases`) }),
    ...(production ? [NoSchemaIntrospectionCustomRule, NoSdlRule] : []),
  ];
  return {
    onParams({ params }) {
      if (typeof params.query === "string" && params.query.length > LIMITS.document) {
        throw new GraphQLError(`Cannot run the operation: longer than ${LIMITS.document} characters`, {
          extensions: { code: "BAD_REQUEST", http: { status: 400 } },
        });
      }
    },
    onParse({ setParseFn }) {
      setParseFn((source: string | Source, options?: ParseOptions) =>
        parse(source, { ...options, maxTokens: LIMITS.tokens })
      );
    },
    onValidate({ params: { documentAST }, addValidationRule, setResult, setValidationFn }) {
      // Instead of the rules: one of them compares each field with all others of the same name.
      if (costOf(documentAST, production) > LIMITS.cost) {
        return setResult([new GraphQLError(`Cannot run the operation: more costly than ${LIMITS.cost}`)]);
      }
      rules.forEach(addValidationRule);
      setValidationFn((schema, document, rules) =>
        validate(schema, document, rules, { maxErrors: LIMITS.errors })
      );
    },
  };
}

/**
 * All operations of a document, also those that do not run. In production fragments that nothing spreads count as
 * well; in development the query for the schema spreads its fragments only where nothing counts.
 */
function costOf({ definitions }: DocumentNode, production: boolean): number {
  const costs = createCosts(definitions, production ? undefined : isNotIntrospection);
  let cost = 0;
  for (const definition of definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) cost += costs.costOf(definition.selectionSet);
  }
  return production ? cost + costs.costOfUnused() : cost;
}

/** Development shows the schema to tools, which ask for all of it. */
function isNotIntrospection({ name: { value } }: FieldNode): boolean {
  return value !== "__schema" && value !== "__type";
}

/** Federation's own way around introspection; a supergraph is composed from the file. */
function NoSdlRule(context: ValidationContext): ASTVisitor {
  return {
    Field(node) {
      if (node.name.value !== "_service") return;
      context.reportError(new GraphQLError("Cannot give the SDL: introspection is off", { nodes: node }));
    },
  };
}

/** Reported like every other validation error, rather than thrown under the name of a syntax error. */
function refusal(reason: string) {
  const onReject = (context: ValidationContext | null) =>
    context?.reportError(new GraphQLError(`Cannot run the operation: ${reason}`));
  return { propagateOnRejection: false, onReject: [onReject] };
}
