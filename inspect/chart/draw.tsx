/** Draws a chart that has been laid out. Looks are the stylesheet's affair, so that no policy has to allow any here. */
import { ArrowLabel, ArrowLine, isTaken } from "./arrows.tsx";
import { RegionList, StateBox } from "./boxes.tsx";
import type { Layout } from "./layout.ts";
import type { Trail } from "./trail.ts";

export function Drawing({ layout, trail, title }: { layout: Layout; trail: Trail; title: string }) {
  const { width, height, boxes, arrows, dots, lists } = layout;
  const quietFirst = arrows.toSorted((one, other) => +isTaken(one, trail) - +isTaken(other, trail));
  const [wide, high] = [Math.ceil(width), Math.ceil(height)];
  return (
    <svg
      class="chart"
      role="img"
      aria-label={title}
      width={wide}
      height={high}
      viewBox={`0 0 ${wide} ${high}`}
    >
      {boxes.filter(({ state }) => state.children.length > 0).map((box) => (
        <StateBox box={box} trail={trail} />
      ))}
      {dots.map(({ x, y, width, state }) => (
        <circle
          class={trail.visited.has(state.id) ? "begin taken" : "begin"}
          cx={x + width / 2}
          cy={y + width / 2}
          r={width / 2}
        />
      ))}
      {quietFirst.map((placed) => <ArrowLine placed={placed} trail={trail} />)}
      {boxes.filter(({ state }) => state.children.length === 0).map((box) => (
        <StateBox box={box} trail={trail} />
      ))}
      {arrows.map(({ arrow, label }) =>
        label && <ArrowLabel label={label} transitions={arrow.told} trail={trail} />
      )}
      {lists.map((list) => <RegionList list={list} trail={trail} />)}
    </svg>
  );
}
