/** Choice of the fields that the encoder adds to the dynamic table. */
import { staticNames, staticValues } from "./static_table.ts";

/** Representation of a literal, RFC 7541 6.2: the bits above its index, and the bits of its index. */
export interface Literal {
  readonly pattern: number;
  readonly prefixBits: number;
}

export const incremental: Literal = { pattern: 0x40, prefixBits: 6 };
export const withoutIndexing: Literal = { pattern: 0x00, prefixBits: 4 };
/** Secrets: an attacker who sees sizes could guess an indexed one, and proxies must not index it either. */
export const neverIndexed: Literal = { pattern: 0x10, prefixBits: 4 };

/** Values that differ with each message would evict those that repeat. */
const CHANGING = [
  ":path",
  "content-length",
  "date",
  "etag",
  "grpc-message",
  "grpc-status-details-bin",
  "grpc-timeout",
  "location",
  "traceparent",
  "tracestate",
];
const SECRET = ["authorization", "cookie", "proxy-authorization", "set-cookie"];

export interface NameRule {
  /** Index of the first static entry with the name, or 0. */
  readonly index: number;
  /** Index of the static entry by value. */
  readonly values: ReadonlyMap<string, number>;
  readonly literal: Literal;
}

/** Of any name without a rule. */
export const defaultRule: NameRule = { index: 0, values: new Map(), literal: incremental };

/** By name, for the names of the static table and the two lists above. */
export const nameRules: ReadonlyMap<string, NameRule> = new Map(
  [...new Set([...staticNames.slice(1), ...CHANGING, ...SECRET])].map((name) => [name, ruleOf(name)]),
);

function ruleOf(name: string): NameRule {
  const values = new Map<string, number>();
  staticNames.forEach((other, index) => other === name && values.set(staticValues[index]!, index));
  const literal = SECRET.includes(name)
    ? neverIndexed
    : CHANGING.includes(name)
    ? withoutIndexing
    : incremental;
  return { index: Math.max(0, staticNames.indexOf(name)), values, literal };
}
