/** LIKE patterns that match a mistyped word. */

/** Shorter words are similar to too many others. */
const MIN_LENGTH = 4;
/** A longer word would give more conditions than a search should have. */
const MAX_LENGTH = 24;

/** Transcriptions of one letter by two. */
const TRANSCRIPTIONS = /ae|oe|ue|ss|ph|th/gi;
const UMLAUTS = /[äöüß]/gi;

/** Escapes what LIKE reserves. */
export function escapePattern(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}

/**
 * Returns patterns of the words that differ by one mistake: a letter too many, too few, wrong, or exchanged with its
 * neighbor, or an umlaut that is written with two letters. The first letter is right, so that an index finds the words.
 * Empty for a word that is too short or too long.
 */
export function similarWords(word: string): string[] {
  const letters = [...word.normalize("NFC")];
  if (letters.length < MIN_LENGTH || letters.length > MAX_LENGTH) return [];
  const [write, any] = [(part: readonly string[]) => escapePattern(part.join("")), "_"];
  const patterns = letters.flatMap((letter, at) => {
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
  const spellings = [...word.matchAll(TRANSCRIPTIONS), ...word.matchAll(UMLAUTS)].map(({ 0: found, index }) =>
    `${escapePattern(word.slice(0, index))}${found.length === 2 ? any : any + any}${
      escapePattern(word.slice(index + found.length))
    }`
  );
  return [...new Set([...patterns, `${write(letters)}${any}`, ...spellings])];
}
