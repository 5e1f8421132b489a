/** Limits of one request, enforced before execution. */
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
  /** Characters of a document, which also bounds the document cache. */
  document: 10_000,
  tokens: 1_000,
  /** The deepest query without fragments has eight; each fragment counts too. */
  depth: 12,
  /**
   * Objects count 2, other fields and fragments 1, and each level 1.5 times its content; all of `me` costs
   * about 140.
   */
  cost: 500,
  aliases: 10,
  /** References in one `_entities`. */
  entities: 100,
  /**
   * References times the cost of each reference's selection: all of a customer fourteen times, or its name a
   * hundred times.
   */
  entitiesCost: 2_000,
  /** Validation errors after which the validation of a document stops. */
  errors: 10,
  /** Documents that the cache holds by their hash. */
  persistedDocuments: 1_000,
} as const;

/** Enforces LIMITS on documents; in production also hides the schema. */
export function useLimits(production: boolean): Plugin {
  /** Of documents in the document cache, which repeat. */
  const costs = new WeakMap<DocumentNode, number>();
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
      // Replaces the rules: one of them compares each field with all others of the same name.
      let cost = costs.get(documentAST);
      if (cost === undefined) costs.set(documentAST, cost = costOf(documentAST, production));
      if (cost > LIMITS.cost) {
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
 * Returns the cost of all operations of a document, also of those that do not run. In production, unused fragments
 * count as well; in development, the introspection query spreads its fragments only where nothing counts.
 */
function costOf({ definitions }: DocumentNode, production: boolean): number {
  const costs = createCosts(definitions, production ? undefined : isNotIntrospection);
  let cost = 0;
  for (const definition of definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) cost += costs.costOf(definition.selectionSet);
  }
  return production ? cost + costs.costOfUnused() : cost;
}

/** Development shows the schema to tools, which request all of it. */
function isNotIntrospection({ name: { value } }: FieldNode): boolean {
  return value !== "__schema" && value !== "__type";
}

/** Federation's alternative to introspection; a supergraph is composed from the file. */
function NoSdlRule(context: ValidationContext): ASTVisitor {
  return {
    Field(node) {
      if (node.name.value !== "_service") return;
      context.reportError(new GraphQLError("Cannot give the SDL: introspection is off", { nodes: node }));
    },
  };
}

/** Reported like every other validation error, rather than thrown as a syntax error. */
function refusal(reason: string) {
  const onReject = (context: ValidationContext | null) =>
    context?.reportError(new GraphQLError(`Cannot run the operation: ${reason}`));
  return { propagateOnRejection: false, onReject: [onReject] };
}
