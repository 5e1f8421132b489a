/** How wide a text is without a browser: by DejaVu Sans, the widest face that a page is likely to meet. */

/** Widths in parts of the font's size. */
const NARROW = 0.34;
const WIDE = 0.92;
const CAPITAL = 0.72;
const PLAIN = 0.62;

/** In pixels. */
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

/** Cuts a name that no box should grow to. */
export function shortened(text: string, longest = 36): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
