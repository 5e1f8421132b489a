/** LIKE patterns that match a mistyped name. */

export interface SimilarName {
  /** Pairs of patterns for the first and the last name, one of which has to match; an index finds them. */
  beginnings: [first: string | null, last: string | null][];
  /** The first name, the last name, or both in either order have to match one of them. */
  patterns: string[];
  /** Whether they can match both names together; a single word cannot. */
  hasSpace: boolean;
}

/** Shorter words are similar to too many others. */
const MIN_LENGTH = 4;
/** Longer words, and more of them, would give more patterns than a search should have. */
const MAX_LENGTH = 24;
const MAX_WORDS = 3;

/** Spellings of one letter by two, and letters that are spelled so. */
const TRANSCRIPTIONS = /ae|oe|ue|ss|ph|th/gi;
const UMLAUTS = /[äöüß]/gi;

/**
 * Describes the names that differ from a text by one mistake in one word: a letter too many, too few, wrong, or exchanged
 * with its neighbor, or an umlaut that is written with two letters. The first letter of each word is right, so that an
 * index finds the names.
 *
 * @returns undefined if no word can be mistyped: all are too short or too long, or there are too many
 */
export function similarNames(text: string): SimilarName | undefined {
  const words = text.normalize("NFC").trim().split(/\s+/u);
  if (words.length > MAX_WORDS || words.some((word) => word.length > MAX_LENGTH)) return undefined;
  const spellings = words.flatMap((word, at) =>
    mistypedSpellings(word).map((spelling) =>
      words.with(at, spelling).map((part, index) => index === at ? part : escapeLike(part)).join(" ")
    )
  );
  if (spellings.length === 0) return undefined;
  const initials = [...new Set(words.map((word) => `${escapeLike([...word][0]!)}%`))];
  return {
    beginnings: initials.flatMap((initial): SimilarName["beginnings"] => [[initial, null], [null, initial]]),
    patterns: [...new Set(spellings)],
    hasSpace: words.length > 1,
  };
}

/** Patterns of the words that differ by one mistake; empty for a word that is too short. */
function mistypedSpellings(word: string): string[] {
  const letters = [...word];
  if (letters.length < MIN_LENGTH) return [];
  const [write, any] = [(part: readonly string[]) => escapeLike(part.join("")), "_"];
  const mistakes = letters.flatMap((letter, at) => {
    if (at === 0) return [];
    const [before, after] = [letters.slice(0, at), letters.slice(at + 1)];
    const [next, ...rest] = after;
    return [
      `${write(before)}${any}${write(after)}`,
      `${write(before)}${write(after)}`,
      `${write(before)}${any}${write([letter, ...after])}`,
      ...(next === undefined ? [] : [write([...before, next, letter, ...rest])]),
    ];
  });
  const transcribed = [...word.matchAll(TRANSCRIPTIONS), ...word.matchAll(UMLAUTS)].map((
    { 0: found, index },
  ) =>
    `${escapeLike(word.slice(0, index))}${found.length === 2 ? any : any + any}${
      escapeLike(word.slice(index + found.length))
    }`
  );
  return [...mistakes, `${write(letters)}${any}`, ...transcribed];
}

/** Escapes what LIKE reserves. */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}
