/** Transitions as arrows with labels. */
import type { PlacedArrow, Point, Rectangle } from "./layout.ts";
import { LINE, transitionLabel } from "./measures.ts";
import type { Transition } from "./model.ts";
import { MOVER_LABELS, moverOf } from "./movers.ts";
import { timesTaken } from "./node_status.ts";
import type { TakenPath } from "./path.ts";

const BEND = 8;
const HEAD_LENGTH = 8;

/** @param next how the arrow may be taken next: by itself, or by someone whom the actor waits for */
export function ArrowLine(
  { placed, path, next }: { placed: PlacedArrow; path: TakenPath; next: "itself" | "waits" | undefined },
) {
  const { arrow, points } = placed;
  const [last, before] = [points.at(-1), points.at(-2)];
  if (!last || !before) return null;
  return (
    <g
      class={["arrow", isTaken(placed, path) && "taken", next && `next ${next}`].filter(Boolean).join(" ")}
      data-arrow={arrow.id}
    >
      <path class="line" d={rounded([...points.slice(0, -1), towards(last, before, HEAD_LENGTH - 1)])} />
      <path class="head" d={arrowHead(last, before)} />
    </g>
  );
}

/** Whether an arrow was taken. An initial arrow counts as taken once its target was reached. */
export function isTaken({ arrow: { target, transitions } }: PlacedArrow, path: TakenPath): boolean {
  if (transitions.length === 0) return path.visited.has(target);
  return transitions.some((transition) => timesTaken(transition, path) > 0);
}

export function ArrowLabel(
  { label, transitions, path, isNext }: {
    label: Rectangle;
    transitions: readonly Transition[];
    path: TakenPath;
    isNext: (transition: Transition) => boolean;
  },
) {
  const { x, y, width, height } = label;
  const isTaken = transitions.some((transition) => timesTaken(transition, path) > 0);
  return (
    <g class={isTaken ? "label taken" : "label"}>
      <rect x={x} y={y} width={width} height={height} rx={9} />
      {transitions.map((transition, index) => {
        const times = timesTaken(transition, path);
        return (
          <text
            class={[times > 0 && "taken", isNext(transition) && "next"].filter(Boolean).join(" ")}
            data-transition={transition.id}
            x={x + width / 2}
            y={y + LINE * (index + 1) - 2.5}
            text-anchor="middle"
          >
            <title>
              {transitionTooltip(transition, path)}
              {isNext(transition) && `; can come next, ${MOVER_LABELS[moverOf(transition)]}`}
            </title>
            {transitionLabel(transition)}
          </text>
        );
      })}
    </g>
  );
}

/** Tooltip of a transition's label. */
export function transitionTooltip(transition: Transition, path: TakenPath): string {
  const { event, label, guarded } = transition;
  const times = timesTaken(transition, path);
  const description = times > 0 ? `taken ${times} ×` : "not taken";
  return `${label}${event ? ` (${event})` : ""}${guarded ? ", conditional" : ""}: ${description}`;
}

/** SVG path with rounded corners. */
function rounded(points: readonly Point[]): string {
  return points.map((point, index) => {
    const [before, after] = [points[index - 1], points[index + 1]];
    if (!before) return `M${at(point)}`;
    if (!after) return `L${at(point)}`;
    const bend = Math.min(BEND, distance(before, point) / 2, distance(point, after) / 2);
    return `L${at(towards(point, before, bend))}Q${at(point)} ${at(towards(point, after, bend))}`;
  }).join("");
}

function arrowHead(tip: Point, from: Point): string {
  const base = towards(tip, from, HEAD_LENGTH);
  const [dx, dy] = [(base.y - tip.y) / 2, (base.x - tip.x) / 2];
  return `M${at(tip)}L${at({ x: base.x + dx, y: base.y - dy })}L${at({ x: base.x - dx, y: base.y + dy })}Z`;
}

function towards(from: Point, to: Point, length: number): Point {
  const share = length / (distance(from, to) || 1);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

function distance(one: Point, other: Point): number {
  return Math.hypot(other.x - one.x, other.y - one.y);
}

function at({ x, y }: Point): string {
  return `${Number(x.toFixed(1))} ${Number(y.toFixed(1))}`;
}
