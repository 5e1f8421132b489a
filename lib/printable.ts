/** Text of others for a terminal. */

/** Escapes characters that a terminal obeys or does not show: controls, line breaks, directions, invisible ones. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
