/** GraphQL's own messages quote the values they refuse, which may be personal: here they lose them. */

/** In this order: a message may hold several quotes, and what a quote contains must not look like an end of it. */
const QUOTES: readonly [RegExp, string][] = [
  [/( cannot represent[^:]*):.*$/s, "$1."],
  [/Value ".*" does not exist in "(\w+)" enum.*$/s, 'Value does not exist in "$1" enum.'],
  [/,? (but )?found:? .*$/s, "."],
  [/(Unexpected \w+) ".*$/s, "$1."],
  [/ got invalid value .* at ("[\w.[\]]+"); /s, " got an invalid value at $1: "],
  [/ got invalid value .*; /s, " got an invalid value: "],
  [/ has invalid value .*$/s, " has an invalid value."],
  // Not a value, but what introspection would tell.
  [/ Did you mean .*$/s, ""],
];

/** The message with its place and its reason, names of fields and types included. */
export function withoutQuotes(message: string): string {
  return QUOTES.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), message);
}
