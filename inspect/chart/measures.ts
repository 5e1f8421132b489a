/** Sizes of boxes and labels in pixels, and the lines of text in them. */
import { isInternal, type State, type Transition } from "./model.ts";
import { textWidth, truncate } from "./text_width.ts";

export const TITLE = 13;
export const SMALL = 11;
export const LINE = 17;
/** Height of a state's title including its padding. */
export const HEAD = 36;
export const MARGIN = 14;
export const REGION = { height: 42, gap: 8 };
export const DOT = 10;

export interface Size {
  width: number;
  height: number;
}

/** Internal transitions of a state, which its box shows as lines. */
export function linesOf(state: State, transitions: readonly Transition[]): Transition[] {
  return transitions.filter((transition) => transition.source === state.id && isInternal(transition));
}

/** Label of a transition: a lozenge marks a conditional one, "otherwise" the alternative to it. */
export function transitionLabel({ label, choice, guarded }: Transition): string {
  if (!choice) return label;
  return guarded ? `${label} ◇` : `${label}, otherwise`;
}

/** Minimum size of a box without the states inside it. */
export function sizeOf(state: State, lines: readonly Transition[]): Size {
  if (state.type === "history") return { width: 26, height: 26 };
  const title = textWidth(truncate(state.label), TITLE, "bold") + 2 * MARGIN;
  const folded = textWidth(foldedLabel(state), SMALL) + 2 * MARGIN;
  const widths = lines.map(lineWidth);
  const longest = inOneRow(state) ? widths.reduce((sum, width) => sum + width, 0) : Math.max(0, ...widths);
  return { width: Math.max(96, title, folded, longest + 2 * MARGIN), height: HEAD + heightOf(state, lines) };
}

/** Height of the lines below the title. */
export function heightOf(state: State, lines: readonly Transition[]): number {
  const rows = (inOneRow(state) ? Math.min(1, lines.length) : lines.length) + (state.foldedStates ? 1 : 0);
  return rows > 0 ? rows * LINE + 8 : 0;
}

/** Position of each line relative to the first one. */
export function linePlaces(state: State, lines: readonly Transition[]): { x: number; y: number }[] {
  let x = 0;
  return lines.map((line, index) => {
    if (!inOneRow(state)) return { x: 0, y: LINE * index };
    const place = { x, y: 0 };
    x += lineWidth(line);
    return place;
  });
}

/** A group and a folded group are wide: their lines share a row. */
function inOneRow({ children, foldedStates }: State): boolean {
  return children.length > 0 || foldedStates !== undefined;
}

/** Width of a line with its arrow and a counter. */
function lineWidth(line: Transition): number {
  return textWidth(transitionLabel(line), SMALL) + 40;
}

/** Contents that a folded box hides; empty for another box. */
export function foldedLabel({ foldedStates }: State): string {
  if (!foldedStates) return "";
  return foldedStates === 1 ? "1 state inside" : `${foldedStates} states inside`;
}

/** Size of the label on an arrow. */
export function labelSize(transitions: readonly Transition[]): Size {
  const widths = transitions.map((transition) => textWidth(transitionLabel(transition), SMALL, "bold")); // labels of taken transitions are bold
  return { width: Math.max(...widths) + 18, height: transitions.length * LINE + 4 };
}

/** Maximum width of a list of regions in pixels. */
const LIST_WIDTH = 760;

/** Size of a list of merged regions, in rows of equal length. */
export function listSize(regions: readonly State[]): Size & { columns: number } {
  const names = regions.map(({ label }) => textWidth(truncate(label, 24), TITLE, "bold"));
  const states = regions.flatMap(({ children }) => children.map(({ label }) => textWidth(label, SMALL)));
  const chip = Math.max(110, ...names, ...states) + 48;
  const fitting = Math.max(1, Math.floor((LIST_WIDTH + REGION.gap) / (chip + REGION.gap)));
  const rows = Math.ceil(regions.length / fitting);
  const columns = Math.ceil(regions.length / rows);
  return {
    columns,
    width: columns * (chip + REGION.gap) - REGION.gap,
    height: rows * (REGION.height + REGION.gap) - REGION.gap,
  };
}
