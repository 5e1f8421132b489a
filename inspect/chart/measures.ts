/** Sizes of everything in a chart, in pixels, and the lines of text that boxes and arrows carry. */
import { type State, stays, type Transition } from "./model.ts";
import { shortened, textWidth } from "./text.ts";

export const TITLE = 13;
export const SMALL = 11;
export const LINE = 17;
/** A state's title with the space around it. */
export const HEAD = 36;
export const MARGIN = 14;
export const CHIP = { height: 42, gap: 8 };
export const DOT = 10;

export interface Size {
  width: number;
  height: number;
}

/** The transitions that a box tells in lines, because they lead nowhere else. */
export function linesOf(state: State, transitions: readonly Transition[]): Transition[] {
  return transitions.filter((transition) => transition.source === state.id && stays(transition));
}

/** A transition in words; a condition is a lozenge, the way that is left over says so. */
export function wordsOf({ label, choice, guarded }: Transition): string {
  if (!choice) return label;
  return guarded ? `${label} ◇` : `${label}, otherwise`;
}

/** What a box needs for itself, whatever lies inside it. */
export function sizeOf({ label, type }: State, lines: readonly Transition[]): Size {
  if (type === "history") return { width: 26, height: 26 };
  const title = textWidth(shortened(label), TITLE, "bold") + 2 * MARGIN;
  const longest = Math.max(0, ...lines.map((line) => textWidth(wordsOf(line), SMALL) + 40 + 2 * MARGIN));
  return { width: Math.max(96, title, longest), height: HEAD + heightOf(lines) };
}

export function heightOf(lines: readonly Transition[]): number {
  return lines.length > 0 ? lines.length * LINE + 8 : 0;
}

/** What the words on an arrow need. */
export function labelSize(transitions: readonly Transition[]): Size {
  const widths = transitions.map((transition) => textWidth(wordsOf(transition), SMALL, "bold")); // once taken
  return { width: Math.max(...widths) + 18, height: transitions.length * LINE + 4 };
}

/** How wide a list of regions may get by itself. */
const LIST_WIDTH = 760;

/** The list of regions that are alike: rows of one length. */
export function listSize(regions: readonly State[]): Size & { columns: number } {
  const names = regions.map(({ label }) => textWidth(shortened(label, 24), TITLE, "bold"));
  const states = regions.flatMap(({ children }) => children.map(({ label }) => textWidth(label, SMALL)));
  const chip = Math.max(110, ...names, ...states) + 48;
  const fitting = Math.max(1, Math.floor((LIST_WIDTH + CHIP.gap) / (chip + CHIP.gap)));
  const rows = Math.ceil(regions.length / fitting);
  const columns = Math.ceil(regions.length / rows);
  return {
    columns,
    width: columns * (chip + CHIP.gap) - CHIP.gap,
    height: rows * (CHIP.height + CHIP.gap) - CHIP.gap,
  };
}
