/**
 * Digests of a subject's values: an erasure stores them instead of the values, so that its re-scan finds texts that quote
 * one of them. They are deleted when the re-scan finds none.
 */
import type { ValueDigest } from "../../../db/gdpr_requests.ts";
import { sha256 } from "../../../lib/hash.ts";

/** Shorter values occur everywhere by chance; in characters. */
const SHORTEST = 3;
/** Distinct texts whose result is remembered. Machines write the same few again and again. */
const REMEMBERED = 10_000;

/**
 * @param values as they are stored
 * @param salt of this erasure, so that the digests of two erasures cannot be compared
 */
export function digestValues(values: Iterable<string>, salt: string): ValueDigest[] {
  const phrases = new Map<string, number>();
  for (const value of values) {
    const words = wordsOf(value);
    if (value.length >= SHORTEST && words.length > 0) phrases.set(words.join(" "), words.length);
  }
  return [...phrases].map(([phrase, words]) => ({ words, digest: digestOf(phrase, salt) }));
}

/**
 * Returns a function that checks whether a text quotes one of the values as whole words, in any case and with any
 * punctuation. Its time is linear in the length of the text.
 */
export function quotationFinder(digests: readonly ValueDigest[], salt: string): (text: string) => boolean {
  const byWords = Map.groupBy(digests, ({ words }) => words);
  const digestsByWords = [...byWords].map(([words, group]) =>
    [words, new Set(group.map(({ digest }) => digest))] as const
  );
  const results = new Map<string, boolean>();
  const quotes = (text: string) => {
    const words = wordsOf(text);
    return digestsByWords.some(([length, digests]) =>
      words.some((_, start) =>
        start + length <= words.length &&
        digests.has(digestOf(words.slice(start, start + length).join(" "), salt))
      )
    );
  };
  return (text) => {
    let result = results.get(text);
    if (result === undefined) {
      if (results.size >= REMEMBERED) results.clear();
      results.set(text, result = quotes(text));
    }
    return result;
  };
}

function wordsOf(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().match(/[\p{L}\p{M}\p{N}_]+/gu) ?? [];
}

function digestOf(phrase: string, salt: string): string {
  return sha256(`${salt} ${phrase}`).toHex();
}
