/** Width of text, estimated without a browser for DejaVu Sans, the widest of the usual system fonts. */

/** Widths as fractions of the font size. */
const NARROW = 0.34;
const WIDE = 0.92;
const CAPITAL = 0.72;
const PLAIN = 0.62;

/** Estimated width in pixels. */
export function textWidth(text: string, size: number, weight: "regular" | "bold" = "regular"): number {
  let width = 0;
  for (const letter of text) {
    if (/[ijl.,:;'|!() [\]]/.test(letter)) width += NARROW;
    else if (/[ftr-]/.test(letter)) width += 0.4;
    else if (/[mwMW@%→]/.test(letter)) width += WIDE;
    else if (/\p{Lu}/u.test(letter)) width += CAPITAL;
    else width += PLAIN;
  }
  return Math.ceil(width * size * (weight === "bold" ? 1.12 : 1));
}

/** Shortens a long name, so that boxes do not grow with it. */
export function truncate(text: string, longest = 36): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
