/** SVG drawing of a chart layout. The stylesheet defines its look, because the CSP forbids inline styles. */
import { ArrowLabel, ArrowLine, isTaken } from "./arrows.tsx";
import { RegionList, StateBox } from "./boxes.tsx";
import type { Layout, PlacedArrow } from "./layout.ts";
import { isNext, moverOf } from "./movers.ts";
import type { TakenPath } from "./path.ts";

export function Drawing({ layout, path, title }: { layout: Layout; path: TakenPath; title: string }) {
  const { width, height, boxes, arrows, dots, lists } = layout;
  const takenLast = arrows.toSorted((one, other) => +isTaken(one, path) - +isTaken(other, path));
  const states = new Map(boxes.map(({ state }) => [state.id, state]));
  const nextOf = ({ arrow }: PlacedArrow): "itself" | "waits" | undefined => {
    const movers = arrow.transitions.filter((each) => isNext(each, states, path)).map(moverOf);
    if (movers.length === 0) return undefined;
    return movers.includes("itself") ? "itself" : "waits";
  };
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
        <StateBox
          box={box}
          path={path}
        />
      ))}
      {dots.map(({ x, y, width, state }) => (
        <circle
          class={path.visited.has(state.id) ? "begin taken" : "begin"}
          cx={x + width / 2}
          cy={y + width / 2}
          r={width / 2}
        />
      ))}
      {takenLast.map((placed) => <ArrowLine placed={placed} path={path} next={nextOf(placed)} />)}
      {boxes.filter(({ state }) => state.children.length === 0).map((box) => (
        <StateBox box={box} path={path} />
      ))}
      {arrows.map(({ arrow, label }) =>
        label && (
          <ArrowLabel
            label={label}
            transitions={arrow.labeled}
            path={path}
            isNext={(transition) => isNext(transition, states, path)}
          />
        )
      )}
      {lists.map((list) => <RegionList list={list} path={path} />)}
    </svg>
  );
}
