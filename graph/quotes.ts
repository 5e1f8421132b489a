/** Redaction of values that GraphQL's own messages quote. Values may be personal. */

/**
 * Text after which a message quotes a value, and the text that replaces it. Only names and fixed words
 * precede it.
 */
const QUOTES: readonly [from: string, instead: string][] = [
  [" got invalid value ", " got an invalid value."],
  [" has invalid value ", " has an invalid value."],
  [", but found ", "."],
  [" but found ", "."],
  [", found ", "."],
  [" found: ", "."],
  // Not a value, but a name of the schema that introspection would show.
  [" Did you mean ", ""],
];
const TOKEN = "Unexpected ";
const SCALAR = " cannot represent";
const ENUM = { start: 'Value "', middle: '" does not exist in "' };

/**
 * Returns the message up to the first value that it quotes, in linear time. Variables do not pass here:
 * graph/variables.ts writes its own messages about them.
 */
export function withoutQuotes(message: string): string {
  if (message.startsWith(ENUM.start)) {
    const at = message.lastIndexOf(ENUM.middle);
    if (at >= 0) return `Value${cut(message.slice(at + 1))}`;
  }
  return cut(message);
}

/** Names of the schema that graphql-js suggests at the end of a message. */
const SUGGESTION = / Did you mean (to use an inline fragment on )?("\w+"(, or |, | or )?)+\?$/;

/** Does the same, but keeps a suggestion of names of the schema if nothing else was quoted. */
export function withSuggestion(message: string): string {
  const [suggestion = ""] = message.match(SUGGESTION) ?? [];
  const rest = message.slice(0, message.length - suggestion.length);
  return withoutQuotes(rest) === rest ? message : withoutQuotes(message);
}

function cut(message: string): string {
  let [end, instead] = [message.length, ""];
  const cutAt = (at: number, ending: string) => {
    if (at >= 0 && at < end) [end, instead] = [at, ending];
  };
  for (const [from, ending] of QUOTES) cutAt(message.indexOf(from), ending);
  const scalar = message.indexOf(SCALAR);
  if (scalar >= 0) cutAt(message.indexOf(":", scalar), ".");
  const token = message.indexOf(TOKEN);
  if (token >= 0) cutAt(message.indexOf(' "', token), ".");
  return message.slice(0, end) + instead;
}
